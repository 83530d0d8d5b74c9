"""Messages for the worker."""

from datetime import UTC, datetime

from backend.domain.identifiers import new_job_id, new_user_id
from backend.domain.jobs import ProcessingPath
from backend.domain.messages import LargeBatchMessage

AS_OF = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def message(attempt: int = 1, dataset: str = "orders") -> LargeBatchMessage:
    """A message of a job that nobody else has."""
    return LargeBatchMessage(
        user_id=new_user_id(),
        job_id=new_job_id(AS_OF),
        parent_job_id=dataset,
        as_of=AS_OF,
        processing_path=ProcessingPath.LARGE_BATCH,
        attempt=attempt,
    )
