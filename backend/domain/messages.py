"""What travels on the queues: ids, `as_of` and the path, never data; a few hundred bytes of JSON."""

from datetime import datetime
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from backend.domain.errors import InvalidMessage
from backend.domain.identifiers import is_dataset_id, is_job_id, is_user_id
from backend.domain.jobs import ProcessingPath

MAX_DELIVERIES = 5
"""How often a message is delivered before it goes to the poison queue; host.json says the same."""

POISON_SUFFIX = "-poison"
"""What Azure adds to a queue's name for the queue of messages that were given up."""


class QueueMessage(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """The ids that every message carries.

    Attributes:
        trace_parent: the W3C traceparent of the request that asked for the work.
    """

    user_id: str
    job_id: str
    parent_job_id: str
    trace_parent: str | None = None

    def __post_init__(self) -> None:
        for name, holds in (
            ("userId", is_user_id(self.user_id)),
            ("jobId", is_job_id(self.job_id)),
            ("parentJobId", is_dataset_id(self.parent_job_id)),
        ):
            if not holds:
                raise ValueError(f"{name} has not the form of an id")

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a message.

        Raises:
            InvalidMessage: the body is not JSON, or lacks something that this queue's messages carry.
        """
        try:
            return msgspec.json.decode(body, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidMessage(f"not a {cls.__name__}: {error}") from error

    def encode(self) -> bytes:
        """The message as JSON, before Base64."""
        return msgspec.json.encode(self)


class CleaningMessage(QueueMessage, frozen=True, kw_only=True):
    """Clean one dataset, on `small-batch-queue` or `large-batch-queue`.

    Attributes:
        submission: how many attempts the job had seen when the message was sent; so that the message of a
            retry is not taken for the one before it.
    """

    as_of: datetime
    processing_path: ProcessingPath
    submission: Annotated[int, Meta(ge=0)] = 0


class LargeBatchMessage(CleaningMessage, frozen=True, kw_only=True):
    """A message of `large-batch-queue`, which also remembers the Spark run that it has come to.

    It arrives as a `CleaningMessage`; whoever drains the queue writes the rest back into it.

    Attributes:
        attempt: which run is under way, or comes next; from 1.
        run_id: the run under way, as `SparkJobs` names it; None when nobody knows of one.
    """

    attempt: Annotated[int, Meta(ge=1)] = 1
    run_id: str | None = None

    @property
    def run_token(self) -> str:
        """The same for the same attempt, however often it is asked for, and for no other."""
        return f"{self.job_id}-{self.submission}-{self.attempt}"


class GenerationMessage(QueueMessage, frozen=True, kw_only=True):
    """Generate one part of a sample dataset, on `data-generation-queue`.

    Attributes:
        part_id: the part's name in Bronze, without `.json`.
        chunk_index: 0-based; `total_chunks` parts make the dataset.
        first_record: the 0-based place of the part's first record in the dataset.
        record_count: records in this part.
        error_rate: the share of records with something wrong, 0 to 1.
    """

    part_id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,127}\Z")]
    chunk_index: Annotated[int, Meta(ge=0)]
    total_chunks: Annotated[int, Meta(ge=1)]
    first_record: Annotated[int, Meta(ge=0)]
    record_count: Annotated[int, Meta(ge=1)]
    seed: Annotated[int, Meta(ge=0)]
    error_rate: Annotated[float, Meta(ge=0, le=1)]
