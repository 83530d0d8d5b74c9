"""What the services need from outside, as small Protocols. Adapters implement them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from backend.domain.datasets import Dataset
from backend.domain.job_endings import JobEnding
from backend.domain.jobs import Job, JobStatus
from backend.domain.messages import LargeBatchMessage
from backend.domain.notifications import Notification

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A file as a listing shows it: its path within the container, and its size in bytes."""

    path: str
    size: int


class WritableFiles(Protocol):
    """Where outputs are put: a container of the lake, or a folder."""

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Put a file in its place: written beside it, then renamed, so that nobody sees half of it."""

    def delete_file(self, path: str) -> None:
        """Delete a file; nothing happens when it does not exist."""

    def remove(self, path: str) -> None:
        """Delete what is at a path, a file or a folder with all it holds, if there is anything."""


class FileSystem(WritableFiles, Protocol):
    """One container of the lake."""

    def read(self, path: str) -> bytes:
        """A whole file. Raises NotFound."""

    def read_chunks(self, path: str) -> Iterator[bytes]:
        """A file in pieces, for a download. Raises NotFound before the first piece."""

    def list_files(self, folder: str) -> list[LakeFile]:
        """Every file below `folder`, sorted by path; none when the folder does not exist.

        Files that are still being written (see `write`) do not show.
        """

    def list_folders(self, folder: str) -> list[str]:
        """The names of the folders right below `folder`, sorted; none when it does not exist."""

    def delete_folder(self, folder: str) -> int:
        """Delete a folder with all it holds; how many files that were. 0 when it does not exist."""

    def remove_unfinished(self, before: datetime) -> int:
        """Delete every file whose writing (see `write`) was begun before then, and never ended; how many."""

    def ping(self) -> None:
        """Raise if the container does not answer."""


class SparkStorage(Protocol):
    """Bronze and the place of outputs, as Spark's driver and its executors reach them.

    It is sent to the executors, so it can be pickled, and connects where it is used.
    """

    def read(self, path: str) -> bytes:
        """A whole part of Bronze. Raises NotFound."""

    def write(self, path: str, content: bytes) -> None:
        """As `WritableFiles.write`."""

    def remove(self, path: str) -> None:
        """As `WritableFiles.remove`."""


class QueueDepths(Protocol):
    """How long the queues are."""

    def depth(self, queue_name: str) -> int:
        """How many messages a queue holds, about, those in hand included; 0 when there is no such queue."""


class MessageQueues(QueueDepths, Protocol):
    """The queues that start work."""

    def send(self, queue_name: str, body: bytes) -> str:
        """Put a message on a queue, Base64 on the wire as the queue trigger expects; its message id."""

    def ping(self) -> None:
        """Raise if a queue does not answer."""


@dataclass(frozen=True, slots=True)
class LeasedMessage:
    """A message that nobody else sees until its lease runs out.

    Attributes:
        content: as it is on the wire.
        body: what `content` says; None when it is not Base64.
        receipt: proves the lease; every renewal gives another one.
    """

    message_id: str
    content: str
    body: bytes | None
    receipt: str


class LeasedQueue(Protocol):
    """One queue whose messages are worked on in steps, under a lease."""

    def is_empty(self) -> bool:
        """Whether it holds no message, leased ones included."""

    def lease(self, limit: int, duration: timedelta) -> list[LeasedMessage]:
        """At most `limit` messages that nobody has leased, now leased for `duration`."""

    def renew(self, message: LeasedMessage, body: bytes, duration: timedelta) -> LeasedMessage:
        """Write `body` into the message, and lease it for `duration` from now. Raises LeaseLost."""

    def delete(self, message: LeasedMessage) -> None:
        """The work is done. Raises LeaseLost."""

    def poison(self, message: LeasedMessage) -> None:
        """Put the message on the poison queue, as it was sent, and delete it here. Raises LeaseLost."""


class RunState(StrEnum):
    """Where a Spark run stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class SparkJobs(Protocol):
    """Where the datasets of the large path are cleaned: Databricks, or the Spark worker of this machine."""

    def start(self, message: LargeBatchMessage) -> str:
        """Start the run of the message's attempt; its id.

        The same `run_token` again gives the same run. Raises Unavailable, and says what is missing.
        """

    def state(self, run_id: str) -> RunState:
        """Where the run stands; a run that nobody knows of any more has failed. Raises Unavailable."""

    def active(self) -> int:
        """How many runs are waiting or under way, whoever started them. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class LoadedDataset:
    """Whose rows a load writes, and by which job. `as_of` orders the jobs of one dataset."""

    owner_id: str
    dataset_id: str
    job_id: str
    as_of: datetime


class GoldTable(Protocol):
    """One Gold table of a complete job."""

    @property
    def name(self) -> str:
        """As in `transformations.gold_columns`."""

    @property
    def rows(self) -> int:
        """How many the manifest says."""

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of its Parquet files in the lake's container."""

    def batches(self) -> "Iterator[pa.RecordBatch]":
        """Its rows. May be read again."""


class GoldDestination(Protocol):
    """A database that Gold is loaded into: the operational one, or the warehouse."""

    @property
    def name(self) -> str:
        """As people are told: `the operational database`, `the warehouse`."""

    def load(self, dataset: LoadedDataset, tables: Sequence[GoldTable]) -> bool:
        """Replace the rows of a dataset by those of a job, in one transaction.

        The same job again changes nothing. False, and nothing is changed, when the rows of a later job of
        the dataset (by `as_of`, then by id) stand there already.

        Raises:
            Unavailable: it is down, slow, full, or its schema has another version than this code.
            ValueTooLong: a text does not fit its column.
            LoadMismatch: the rows are not as many as the manifest says.
        """

    def remove(self, owner_id: str, dataset_id: str) -> None:
        """Delete all rows of a dataset. Raises Unavailable."""

    def ping(self) -> None:
        """Raise Unavailable if it does not answer or has another schema version."""


class FrontendTable(StrEnum):
    """A table of the existing frontend."""

    USER = "user"
    ADDRESS = "address"
    CATEGORY = "category"
    SUBCATEGORY = "subcategory"
    PRODUCT = "product"
    PRODUCTS_SKU = "products_sku"
    WISHLIST = "wishlist"
    PAYMENT = "payment"
    ORDER = "order"
    ORDER_ITEM = "order_item"


class OperationalTables(Protocol):
    """What the existing frontend reads of the operational database."""

    def newest(self, owner_id: str, table: FrontendTable, limit: int) -> list[dict[str, Any]]:
        """The newest rows of a table that belong to a user. Raises Unavailable."""

    def user_ids(self, owner_id: str, dataset_id: str) -> list[str]:
        """The ids of the users in one dataset, sorted. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class OpenJob:
    """What an index tells of a job that has not ended. The fields are those of `Job`."""

    user_id: str
    job_id: str
    status: JobStatus
    quiet_since: datetime
    queue_name: str | None = None


class JobProgressStore(Protocol):
    """The JobProgress table. Every call is about one user's jobs."""

    def add(self, job: Job) -> None:
        """Insert a new job. Raises Conflict when the id is taken."""

    def get(self, user_id: str, job_id: str) -> Job | None:
        """A job, or None."""

    def update(self, user_id: str, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Read, change and write back under the row's ETag, again until nobody came between.

        `change` may raise to leave the row as it is. Raises NotFound.
        """

    def page(self, user_id: str, status: JobStatus | None, limit: int, after: str | None) -> list[Job]:
        """At most `limit` jobs, newest first, that come after the job id `after`."""

    def of_dataset(self, user_id: str, parent_job_id: str) -> list[Job]:
        """Every job on one dataset, newest first."""

    def delete(self, user_id: str, job_id: str) -> None:
        """Forget a job; nothing happens when there is none."""

    def open_jobs(self) -> Iterator[OpenJob]:
        """An entry for each job that has not ended, of every user, in no order.

        It tells of an earlier state at worst; there may be some of jobs that have ended.
        """

    def count_open(self, user_id: str, most: int) -> int:
        """How many jobs of a user have not ended, counted to `most`."""

    def look_at(self, entry: OpenJob) -> Job | None:
        """The job of an entry, which then tells of its state now.

        None when the job has ended or was never inserted; then the entry goes.
        """

    def ping(self) -> None:
        """Raise if the table does not answer."""


class JobStatistics(Protocol):
    """What can be told of all jobs together."""

    def open_jobs(self) -> Iterator[OpenJob]:
        """As `JobProgressStore.open_jobs`."""

    def endings(self, hour: datetime) -> list[JobEnding]:
        """The ends that jobs came to within the hour that begins then."""


class DatasetStore(Protocol):
    """What is known of datasets. Those whose deletion was begun are among them."""

    def add(self, dataset: Dataset) -> None:
        """Insert a dataset. Raises Conflict when the id is taken."""

    def get(self, user_id: str, parent_job_id: str) -> Dataset | None:
        """A dataset, or None."""

    def update(self, user_id: str, parent_job_id: str, change: Callable[[Dataset], Dataset]) -> Dataset:
        """As JobProgressStore.update."""

    def of_user(self, user_id: str) -> list[Dataset]:
        """Every dataset of a user."""

    def deleted_before(self, moment: datetime) -> list[Dataset]:
        """Every user's datasets whose deletion was begun before then, and has not ended."""

    def uploading(self) -> list[Dataset]:
        """Every user's datasets whose upload has not ended, for whatever reason."""

    def delete(self, user_id: str, parent_job_id: str) -> None:
        """Forget a dataset; nothing happens when it is not known."""


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """Who first used an Idempotency-Key: for which request body, and for which job."""

    body_digest: str
    job_id: str
    parent_job_id: str


class IdempotencyStore(Protocol):
    """The Idempotency-Keys of each user."""

    def claim(self, user_id: str, key: str, claim: IdempotencyClaim) -> IdempotencyClaim:
        """Record `claim` unless the key is taken; the claim that now stands."""


class NotificationStore(Protocol):
    """The notifications of each user. The end of a job is told by whoever keeps JobProgress."""

    def add(self, notification: Notification) -> str:
        """Put a notification in, unless its occasion has left one; the id of the one that stands.

        Where the occasion does not come again, the one that it left may have been deleted since.
        """

    def newest(self, user_id: str, limit: int) -> list[Notification]:
        """At most `limit` notifications, newest first."""

    def delete(self, user_id: str, notification_id: str) -> bool:
        """Delete a notification; whether there was one. Raises NotFound when somebody else was quicker."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user as the database knows them. `password_hash` is an Argon2 hash."""

    user_id: str
    username: str
    password_hash: str


class AttemptCounts(Protocol):
    """How often something was tried within a window of time, counted for all processes together."""

    def add(self, key: str, amount: int, window_seconds: int) -> int:
        """Count attempts; how many the window has now. The first begins a window. Raises Unavailable."""

    def window(self, key: str) -> tuple[int, int]:
        """How many attempts the present window has, and when it ends, in seconds since 1970.

        Raises:
            Unavailable: the store does not answer.
        """


class AccountStore(Protocol):
    """The accounts."""

    def add(self, account: Account) -> None:
        """Insert an account. Raises Conflict when the username is taken (ignoring case)."""

    def find(self, username: str) -> Account | None:
        """The account of a username (ignoring case), or None."""

    def ping(self) -> None:
        """Raise if the database does not answer."""
