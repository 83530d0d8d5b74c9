"""Back-pressure: how many jobs of one user may wait or be under way."""

from threading import Lock

from backend.domain.errors import TooManyOpenJobs
from backend.ports import JobProgressStore

# The count takes as long as all the rest of a call, where a user has many open jobs.
_CALLS_WITHOUT_COUNTING = 1 / 10
_USERS_REMEMBERED = 10_000


class OpenJobLimit:
    """Refuses a user's next job while too many of theirs have not ended.

    After a count, a tenth of the room that it found is given away without another one. Each further process
    that takes the user's jobs in may so go over the limit by a tenth of it; calls that come at the same
    moment don't see each other either.
    """

    def __init__(self, jobs: JobProgressStore, most: int) -> None:
        self._jobs = jobs
        self._most = most
        self._room: dict[str, int] = {}
        self._lock = Lock()

    def check(self, user_id: str) -> None:
        """Raises TooManyOpenJobs."""
        if self._takes_room(user_id):
            return
        room = self._most - self._jobs.count_open(user_id, self._most)
        if room <= 0:
            raise TooManyOpenJobs(f"{self._most} of your jobs have not ended yet: wait until one of them has")
        with self._lock:
            if len(self._room) >= _USERS_REMEMBERED:
                self._room.clear()
            self._room[user_id] = int(room * _CALLS_WITHOUT_COUNTING)

    def _takes_room(self, user_id: str) -> bool:
        with self._lock:
            room = self._room.pop(user_id, 0)
            if room > 1:
                self._room[user_id] = room - 1
            return room > 0
