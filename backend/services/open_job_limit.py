"""Back-pressure: how many jobs of one user may wait or be under way."""

from backend.domain.errors import TooManyOpenJobs
from backend.ports import JobProgressStore


class OpenJobLimit:
    """Refuses a user's next job while too many of theirs have not ended.

    Calls that come at the same moment don't see each other: a user may get as many jobs over the limit as
    they have calls under way.
    """

    def __init__(self, jobs: JobProgressStore, most: int) -> None:
        self._jobs = jobs
        self._most = most

    def check(self, user_id: str) -> None:
        """Raises TooManyOpenJobs."""
        if self._jobs.count_open(user_id, self._most) >= self._most:
            raise TooManyOpenJobs(f"{self._most} of your jobs have not ended yet: wait until one of them has")
