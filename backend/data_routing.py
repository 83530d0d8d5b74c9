"""Which engine a job goes to, and its queue. The decision is pure; only queueing reaches outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from backend.domain.errors import InvalidRequest
from backend.domain.jobs import ProcessingPath
from backend.domain.messages import CleaningMessage
from backend.ports import MessageQueues


@dataclass(frozen=True, slots=True)
class PathConfig:
    """What a caller can know of a processing path (api.md, the table of paths).

    Attributes:
        record_limit: the greatest number of records that takes this path; None without a limit.
        adf_trigger_interval: how many of `adf_trigger_frequency` lie between two triggers.
    """

    queue_name: str
    record_limit: int | None
    processor: str
    adf_trigger_type: str
    adf_trigger_frequency: str
    adf_trigger_interval: int
    expected_time: str
    expected_throughput: str
    max_concurrent_jobs: int
    cost_level: str


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """Where a job goes, and what its owner may expect."""

    user_id: str
    job_id: str
    record_count: int
    processing_path: ProcessingPath
    queue_name: str
    expected_processing_time: str


class DataRouter:
    """Chooses a path by the number of records, and puts messages on its queue.

    Args:
        small_batch_record_limit: the greatest number of records that takes the small path.
    """

    def __init__(
        self,
        queues: MessageQueues,
        small_batch_record_limit: int,
        small_batch_queue: str,
        large_batch_queue: str,
    ) -> None:
        self._queues = queues
        self._small_batch_record_limit = small_batch_record_limit
        self._configs = MappingProxyType(
            {
                ProcessingPath.SMALL_BATCH: PathConfig(
                    queue_name=small_batch_queue,
                    record_limit=small_batch_record_limit,
                    processor="Azure Function (pandas)",
                    adf_trigger_type="schedule",
                    adf_trigger_frequency="Minute",
                    adf_trigger_interval=10,
                    expected_time="< 5 minutes",
                    expected_throughput="~5-10k records per batch",
                    max_concurrent_jobs=10,
                    cost_level="low",
                ),
                ProcessingPath.LARGE_BATCH: PathConfig(
                    queue_name=large_batch_queue,
                    record_limit=None,
                    processor="Azure Databricks (PySpark)",
                    adf_trigger_type="schedule, skipped when the queue is empty",
                    adf_trigger_frequency="Hour",
                    adf_trigger_interval=10,
                    expected_time="< 24 hours",
                    expected_throughput="~100k+ records per batch",
                    max_concurrent_jobs=3,
                    cost_level="medium",
                ),
            }
        )

    @property
    def configs(self) -> Mapping[ProcessingPath, PathConfig]:
        """The configuration of every path."""
        return self._configs

    @property
    def small_batch_record_limit(self) -> int:
        """The threshold between the paths: the greatest number of records that takes the small one."""
        return self._small_batch_record_limit

    def config(self, path: ProcessingPath) -> PathConfig:
        """The configuration of one path."""
        return self._configs[path]

    def route_data_request(self, user_id: str, count: int, job_id: str) -> RoutingDecision:
        """Decide where a job of `count` records goes; nothing is sent.

        Raises:
            InvalidRequest: `count` is negative.
        """
        if count < 0:
            raise InvalidRequest(f"a dataset can't hold {count} records")
        small = count <= self._small_batch_record_limit
        path = ProcessingPath.SMALL_BATCH if small else ProcessingPath.LARGE_BATCH
        config = self._configs[path]
        return RoutingDecision(
            user_id=user_id,
            job_id=job_id,
            record_count=count,
            processing_path=path,
            queue_name=config.queue_name,
            expected_processing_time=config.expected_time,
        )

    def queue_message_to_path(self, path: ProcessingPath, message: CleaningMessage) -> tuple[str, str]:
        """Send `message` to the queue of `path`; the queue's name and the message's id."""
        queue_name = self._configs[path].queue_name
        return queue_name, self._queues.send(queue_name, message.encode())
