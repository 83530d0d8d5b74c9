"""The ports of `backend.ports`, kept in memory: what a unit test gives a service instead of storage."""

import base64
import binascii
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock

from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import Conflict, LeaseLost, NotFound, Unavailable
from backend.domain.jobs import Job, JobStatus
from backend.domain.messages import LargeBatchMessage
from backend.domain.notifications import Notification
from backend.ports import (
    Account,
    AccountStore,
    DatasetStore,
    FileSystem,
    GoldDestination,
    GoldTable,
    IdempotencyClaim,
    IdempotencyStore,
    JobProgressStore,
    LakeFile,
    LeasedMessage,
    LeasedQueue,
    LoadedDataset,
    MessageQueues,
    NotificationStore,
    OpenJob,
    RunState,
    SparkJobs,
)


class InMemoryFileSystem(FileSystem):
    """One container; `files` is what it holds, `unfinished` says when the writing of others was begun."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = dict(files or {})
        self.unfinished: dict[str, datetime] = {}

    def read(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise NotFound(path) from None

    def read_chunks(self, path: str) -> Iterator[bytes]:
        content = self.read(path)
        return (content[at : at + 1024] for at in range(0, len(content), 1024))

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        # Joined first: content that fails midway leaves nothing behind, as the rename does in the lake.
        self.files[path] = content if isinstance(content, bytes) else b"".join(content)

    def list_files(self, folder: str) -> list[LakeFile]:
        return [
            LakeFile(path, len(content))
            for path, content in sorted(self.files.items())
            if path.startswith(f"{folder}/")
        ]

    def list_folders(self, folder: str) -> list[str]:
        below = [file.path.removeprefix(f"{folder}/") for file in self.list_files(folder)]
        return sorted({path.split("/")[0] for path in below if "/" in path})

    def delete_folder(self, folder: str) -> int:
        paths = [file.path for file in self.list_files(folder)]
        for path in paths:
            del self.files[path]
        return len(paths)

    def delete_file(self, path: str) -> None:
        self.files.pop(path, None)

    def remove(self, path: str) -> None:
        self.delete_file(path)
        self.delete_folder(path)

    def remove_unfinished(self, before: datetime) -> int:
        left = [path for path, begun in self.unfinished.items() if begun <= before]
        for path in left:
            del self.unfinished[path]
        return len(left)

    def ping(self) -> None:
        return


class InMemoryQueues(MessageQueues):
    """Queues that keep what was sent; `bodies` maps a queue's name to its messages, oldest first."""

    def __init__(self) -> None:
        self.bodies: defaultdict[str, list[bytes]] = defaultdict(list)

    def send(self, queue_name: str, body: bytes) -> str:
        self.bodies[queue_name].append(body)
        return f"{queue_name}-message-{len(self.bodies[queue_name])}"

    def depth(self, queue_name: str) -> int:
        return len(self.bodies[queue_name])

    def ping(self) -> None:
        return


class InMemoryJobProgress(JobProgressStore):
    """The JobProgress table; `updates` lists every row that `update` wrote, in order."""

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self.rows: dict[tuple[str, str], Job] = {}
        self.updates: list[Job] = []
        self._lock = RLock()
        for job in jobs:
            self.add(job)

    def add(self, job: Job) -> None:
        key = (job.user_id, job.job_id)
        if key in self.rows:
            raise Conflict(f"there is a job {job.job_id} already")
        self.rows[key] = job

    def get(self, user_id: str, job_id: str) -> Job | None:
        return self.rows.get((user_id, job_id))

    def update(self, user_id: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        key = (user_id, job_id)
        with self._lock:
            if key not in self.rows:
                raise NotFound(f"there is no job {job_id}")
            self.rows[key] = change(self.rows[key])
            self.updates.append(self.rows[key])
            return self.rows[key]

    def page(self, user_id: str, status: JobStatus | None, limit: int, after: str | None) -> list[Job]:
        jobs = [
            job
            for job in self._of_user(user_id)
            if (status is None or job.status is status) and (after is None or job.job_id > after)
        ]
        return jobs[:limit]

    def open_jobs(self) -> Iterator[OpenJob]:
        waiting = [job for job in self.rows.values() if not job.status.is_final]
        return iter(
            [OpenJob(job.user_id, job.job_id, job.status, job.quiet_since, job.queue_name) for job in waiting]
        )

    def count_open(self, user_id: str, most: int) -> int:
        return min(most, sum(not job.status.is_final for job in self._of_user(user_id)))

    def look_at(self, entry: OpenJob) -> Job | None:
        job = self.get(entry.user_id, entry.job_id)
        return None if job is None or job.status.is_final else job

    def delete(self, user_id: str, job_id: str) -> None:
        self.rows.pop((user_id, job_id), None)

    def of_dataset(self, user_id: str, parent_job_id: str) -> list[Job]:
        return [job for job in self._of_user(user_id) if job.parent_job_id == parent_job_id]

    def ping(self) -> None:
        return

    def _of_user(self, user_id: str) -> list[Job]:
        # A job id counts the time down, so that the rows' own order is newest first.
        return [job for (owner, _), job in sorted(self.rows.items()) if owner == user_id]


class InMemoryDatasets(DatasetStore):
    """What is known of datasets."""

    def __init__(self, datasets: Iterable[Dataset] = ()) -> None:
        self.rows: dict[tuple[str, str], Dataset] = {}
        for dataset in datasets:
            self.add(dataset)

    def add(self, dataset: Dataset) -> None:
        key = (dataset.user_id, dataset.parent_job_id)
        if key in self.rows:
            raise Conflict(f"there is a dataset {dataset.parent_job_id} already")
        self.rows[key] = dataset

    def get(self, user_id: str, parent_job_id: str) -> Dataset | None:
        return self.rows.get((user_id, parent_job_id))

    def update(self, user_id: str, parent_job_id: str, change: Callable[[Dataset], Dataset]) -> Dataset:
        key = (user_id, parent_job_id)
        if key not in self.rows:
            raise NotFound(f"there is no dataset {parent_job_id}")
        self.rows[key] = change(self.rows[key])
        return self.rows[key]

    def of_user(self, user_id: str) -> list[Dataset]:
        return [each for (owner, _), each in sorted(self.rows.items()) if owner == user_id]

    def deleted_before(self, moment: datetime) -> list[Dataset]:
        return [each for each in self.rows.values() if each.deleted_at and each.deleted_at < moment]

    def uploading(self) -> list[Dataset]:
        return [each for each in self.rows.values() if each.status is DatasetStatus.UPLOADING]

    def delete(self, user_id: str, parent_job_id: str) -> None:
        self.rows.pop((user_id, parent_job_id), None)


class InMemoryIdempotency(IdempotencyStore):
    """The Idempotency-Keys of each user."""

    def __init__(self) -> None:
        self.claims: dict[tuple[str, str], IdempotencyClaim] = {}

    def claim(self, user_id: str, key: str, claim: IdempotencyClaim) -> IdempotencyClaim:
        return self.claims.setdefault((user_id, key), claim)


class InMemoryNotifications(NotificationStore):
    """The notifications of each user; `occasions` says which one each occasion has left."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Notification] = {}
        self.occasions: dict[tuple[str, str], str] = {}

    def add(self, notification: Notification) -> str:
        occasion = (notification.user_id, notification.occasion)
        if occasion not in self.occasions:
            self.occasions[occasion] = notification.notification_id
            self.rows[notification.user_id, notification.notification_id] = notification
        return self.occasions[occasion]

    def newest(self, user_id: str, limit: int) -> list[Notification]:
        return [row for (owner, _), row in sorted(self.rows.items()) if owner == user_id][:limit]

    def delete(self, user_id: str, notification_id: str) -> bool:
        notification = self.rows.pop((user_id, notification_id), None)
        if notification is not None and notification.comes_again:
            del self.occasions[user_id, notification.occasion]
        return notification is not None


class InMemoryAccounts(AccountStore):
    """The accounts, by username ignoring case."""

    def __init__(self) -> None:
        self.rows: dict[str, Account] = {}

    def add(self, account: Account) -> None:
        key = account.username.lower()
        if key in self.rows:
            raise Conflict(f"the username {account.username} is taken")
        self.rows[key] = account

    def find(self, username: str) -> Account | None:
        return self.rows.get(username.lower())

    def ping(self) -> None:
        return


@dataclass
class SetClock:
    """A clock that shows the time it was set to; call it as a service calls its clock."""

    now: datetime = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class InMemoryDestination(GoldDestination):
    """Keeps the rows of each dataset's load; `error` is raised instead."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.rows: dict[tuple[str, str, str], dict[str, list[dict[str, object]]]] = {}
        self.error: Exception | None = None

    @property
    def name(self) -> str:
        return self._name

    def load(self, dataset: LoadedDataset, tables: Sequence[GoldTable]) -> bool:
        self.ping()
        self.rows[dataset.owner_id, dataset.dataset_id, dataset.job_id] = {
            table.name: [row for batch in table.batches() for row in batch.to_pylist()] for table in tables
        }
        return True

    def remove(self, owner_id: str, dataset_id: str) -> None:
        self.ping()
        for key in [key for key in self.rows if key[:2] == (owner_id, dataset_id)]:
            del self.rows[key]

    def ping(self) -> None:
        if self.error is not None:
            raise self.error


class InMemoryLeasedQueue(LeasedQueue):
    """One queue, whose leases run out by a clock.

    `contents` is what it holds, by message id; `poisoned` is what was put on its poison queue.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.contents: dict[str, str] = {}
        self.poisoned: list[str] = []
        self._clock = clock
        self._receipts: dict[str, str] = {}
        self._visible_from: dict[str, datetime] = {}
        self._message_numbers = itertools.count(1)
        self._receipt_numbers = itertools.count(1)

    def send(self, body: bytes) -> str:
        return self.send_content(base64.b64encode(body).decode())

    def send_content(self, content: str) -> str:
        message_id = f"message-{next(self._message_numbers)}"
        self.contents[message_id] = content
        self._visible_from[message_id] = self._clock()
        return message_id

    def body(self, message_id: str) -> bytes:
        return base64.b64decode(self.contents[message_id])

    def hidden_for(self, message_id: str) -> timedelta:
        return self._visible_from[message_id] - self._clock()

    def is_empty(self) -> bool:
        return not self.contents

    def lease(self, limit: int, duration: timedelta) -> list[LeasedMessage]:
        # Whoever has been visible longest comes first, as with Azurite.
        by_age = sorted(self.contents, key=self.hidden_for)
        visible = [id_ for id_ in by_age if self.hidden_for(id_) <= timedelta(0)]
        return [self._leased(message_id, duration) for message_id in visible[:limit]]

    def renew(self, message: LeasedMessage, body: bytes, duration: timedelta) -> LeasedMessage:
        self._check(message)
        self.contents[message.message_id] = base64.b64encode(body).decode()
        return self._leased(message.message_id, duration)

    def delete(self, message: LeasedMessage) -> None:
        self._check(message)
        del self.contents[message.message_id]

    def poison(self, message: LeasedMessage) -> None:
        self.poisoned.append(message.content)
        self.delete(message)

    def _leased(self, message_id: str, duration: timedelta) -> LeasedMessage:
        content = self.contents[message_id]
        try:
            body = base64.b64decode(content, validate=True)
        except binascii.Error:
            body = None
        self._receipts[message_id] = f"receipt-{next(self._receipt_numbers)}"
        self._visible_from[message_id] = self._clock() + duration
        return LeasedMessage(message_id, content, body, self._receipts[message_id])

    def _check(self, message: LeasedMessage) -> None:
        if message.message_id not in self.contents or self._receipts[message.message_id] != message.receipt:
            raise LeaseLost(f"somebody else has {message.message_id}")


class InMemorySparkJobs(SparkJobs):
    """Spark runs that go on until a test ends them; `states` has them by id, in the order of their start.

    `missing` says why none can be started or watched at present.
    """

    def __init__(self) -> None:
        self.states: dict[str, RunState] = {}
        self.messages: dict[str, LargeBatchMessage] = {}
        self.missing: str | None = None

    def start(self, message: LargeBatchMessage) -> str:
        self._check()
        run_id = f"run {message.run_token}"
        if run_id not in self.states:
            self.states[run_id] = RunState.RUNNING
            self.messages[run_id] = message
        return run_id

    def state(self, run_id: str) -> RunState:
        self._check()
        return self.states.get(run_id, RunState.FAILED)

    def active(self) -> int:
        self._check()
        return len(self.running())

    def running(self) -> list[str]:
        return [run_id for run_id, state in self.states.items() if state is RunState.RUNNING]

    def _check(self) -> None:
        if self.missing is not None:
            raise Unavailable(self.missing)
