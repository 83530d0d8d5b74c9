"""Builds services and adapters from the settings; nothing else does.

Every part is built when it is first asked for, and imported then, so that a process waits only for
what it uses: the API never for pandas, a worker never for the database.
"""

import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from backend import lake_paths
from backend.azure_clients import identity, lake_service, queue_service, table_service
from backend.configured_adapters import ConfiguredAdapters, queue_names
from backend.data_routing import DataRouter
from backend.domain.errors import InvalidSettings
from backend.domain.jobs import ProcessingPath
from backend.settings import Settings
from backend.telemetry import traces

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from backend.services.accounts import AccountService
    from backend.services.bronze_counting import BronzeCounter
    from backend.services.cleaning import CleaningService, DatasetCleaner
    from backend.services.dataset_catalogue import DatasetCatalogue
    from backend.services.dataset_deletion import DatasetDeletion
    from backend.services.dispatching import JobDispatcher
    from backend.services.draining import LargeQueueDrainer
    from backend.services.generation import GenerationService
    from backend.services.gold_figures import GoldFigureReader
    from backend.services.health import HealthService
    from backend.services.heartbeat import Heartbeat
    from backend.services.ingestion import IngestionService
    from backend.services.janitor import Janitor
    from backend.services.job_watching import JobWatcher
    from backend.services.loading import LoadingService
    from backend.services.notifications import NotificationService
    from backend.services.open_job_limit import OpenJobLimit
    from backend.services.operational_figures import OperationalFigures
    from backend.services.pipeline_runs import PipelineRunLog
    from backend.services.poisoning import PoisonRecorder
    from backend.services.raw_data import RawDataReader
    from backend.services.reporting import ReportingService
    from backend.services.submission import SubmissionService
    from backend.services.sweeping import SweepingService
    from backend.services.synchronous_writing import SynchronousWriter
    from backend.services.table_reading import TableReader

_WRITES_AT_ONCE = 8
"""Callers who wait for their records: half of the threads that `serve` has by default."""


def build_services(settings: Settings) -> "Services":
    """The services of one process. Nothing is connected yet."""
    return Services(settings)


def send_traces(settings: Settings, service: str) -> None:
    """Have this process send its traces to Application Insights, if the settings name one.

    Raises:
        InvalidSettings: they can't be sent.
    """
    if settings.application_insights is None:
        return
    try:
        from backend.adapters.opentelemetry_tracer import OpenTelemetryTracer, azure_monitor_exporter
    except ModuleNotFoundError as error:
        raise InvalidSettings(
            "APPLICATIONINSIGHTS_CONNECTION_STRING is set, but traces can't be sent: "
            "install azure-monitor-opentelemetry-exporter, or unset it"
        ) from error
    credential = identity() if settings.application_insights_by_identity else None
    exporter = partial(azure_monitor_exporter, settings.application_insights, credential)
    traces.install(OpenTelemetryTracer(service, exporter))


def utc_now() -> datetime:
    """The clock of every service."""
    return datetime.now(UTC)


class Services(ConfiguredAdapters):
    """What the edges call, and what it is made of."""

    @cached_property
    def accounts(self) -> "AccountService":
        """Registers users and knows them again."""
        from backend.services.accounts import AccountService

        return AccountService(self.account_database)

    @cached_property
    def submission(self) -> "SubmissionService":
        """Takes cleaning jobs in."""
        from backend.services.submission import SubmissionService

        return SubmissionService(
            self.jobs,
            self.datasets,
            self.idempotency,
            self._bronze_counter,
            self.router,
            self.dispatcher,
            self.generation,
            self.open_job_limit,
            max_record_count=self.settings.max_record_count,
            clock=utc_now,
        )

    @cached_property
    def open_job_limit(self) -> "OpenJobLimit":
        """Refuses a user's job when too many of theirs are under way."""
        from backend.services.open_job_limit import OpenJobLimit

        return OpenJobLimit(self.jobs, self.settings.max_open_jobs)

    @cached_property
    def synchronous_writing(self) -> "SynchronousWriter":
        """Writes sample records to the operational database while the caller waits."""
        from backend.services.synchronous_writing import SynchronousWriter

        return SynchronousWriter(
            self.submission,
            self.jobs,
            self.operational_tables,
            wait=self.settings.synchronous_write_time,
            at_once=_WRITES_AT_ONCE,
            seconds=time.monotonic,
            sleep=time.sleep,
        )

    @cached_property
    def ingestion(self) -> "IngestionService":
        """Writes uploads into Bronze."""
        from backend.services.ingestion import IngestionService

        return IngestionService(
            self.bronze,
            self.datasets,
            part_record_limit=self.settings.part_record_limit,
            max_record_count=self.settings.max_record_count,
            max_upload_bytes=self.settings.max_upload_bytes,
            clock=utc_now,
        )

    @cached_property
    def generation(self) -> "GenerationService":
        """Asks for sample datasets and makes them."""
        from backend.services.generation import GenerationService

        return GenerationService(
            self.bronze,
            self.jobs,
            self.datasets,
            self.queues,
            self.dispatcher,
            self.open_job_limit,
            queue_name=self.settings.data_generation_queue,
            batch_size=self.settings.generation_batch_size,
            clock=utc_now,
        )

    @cached_property
    def cleaning(self) -> "CleaningService":
        """Cleans datasets on the small path."""
        from backend.services.small_batch_cleaning import SmallBatchCleaner

        return self._cleaning_with(
            SmallBatchCleaner(
                self.bronze,
                self.lake,
                record_limit=self.settings.small_batch_record_limit,
                byte_limit=self.settings.small_batch_byte_limit,
            )
        )

    def large_batch_cleaning(self, spark: "SparkSession") -> "CleaningService":
        """Cleans datasets on the large path, with a session of Spark's."""
        from backend.adapters.spark_lake import SparkLake
        from backend.services.large_batch_cleaning import LargeBatchCleaner

        storage = SparkLake(self.settings.lake, self.container_opener)
        return self._cleaning_with(LargeBatchCleaner(spark, storage))

    @cached_property
    def loading(self) -> "LoadingService":
        """Loads Gold into the databases."""
        from backend.services.loading import LoadingService

        return LoadingService(
            self.jobs,
            self.lake,
            self.tables,
            self.destinations,
            heartbeat=self.heartbeat,
            clock=utc_now,
        )

    @cached_property
    def sweeping(self) -> "SweepingService":
        """Puts jobs whose worker is gone back on their queue."""
        from backend.services.sweeping import SweepingService

        return SweepingService(
            self.jobs,
            self.queues,
            self.dispatcher,
            self.generation,
            generation_queue_name=self.settings.data_generation_queue,
            large_queue_name=self.settings.large_batch_queue,
            heartbeat=self.heartbeat,
            clock=utc_now,
        )

    @cached_property
    def janitor(self) -> "Janitor":
        """Removes what killed processes left half done."""
        from backend.services.janitor import Janitor

        return Janitor(self.bronze, self.lake, self.datasets, self.dataset_deletion, clock=utc_now)

    @cached_property
    def heartbeat(self) -> "Heartbeat":
        """How often workers are heard of."""
        from backend.services.heartbeat import Heartbeat

        return Heartbeat(self.settings.heartbeat_interval, self.settings.stale_after)

    @cached_property
    def pipeline_runs(self) -> "PipelineRunLog":
        """Keeps the log of orchestration runs."""
        from backend.services.pipeline_runs import PipelineRunLog

        return PipelineRunLog(self.lake, utc_now)

    @cached_property
    def draining(self) -> "LargeQueueDrainer":
        """Takes the large queue's jobs to Spark, a step at a time."""
        from backend.services.draining import LargeQueueDrainer

        return LargeQueueDrainer(
            self.large_queue,
            self.jobs,
            self.spark_jobs,
            self.poisoning,
            max_runs=self.router.config(ProcessingPath.LARGE_BATCH).max_concurrent_jobs,
            clock=utc_now,
        )

    @cached_property
    def poisoning(self) -> "PoisonRecorder":
        """Tells a job why its message went to the poison queue."""
        from backend.services.poisoning import PoisonRecorder

        return PoisonRecorder(self.jobs, utc_now)

    @cached_property
    def reporting(self) -> "ReportingService":
        """Tells users of their jobs."""
        from backend.services.reporting import ReportingService

        return ReportingService(self.jobs, self.lake)

    @cached_property
    def dataset_catalogue(self) -> "DatasetCatalogue":
        """Knows which datasets a user has."""
        from backend.services.dataset_catalogue import DatasetCatalogue

        return DatasetCatalogue(self.datasets, self.bronze, self._bronze_counter)

    @cached_property
    def raw_data(self) -> "RawDataReader":
        """Shows the first raw entities of a dataset."""
        from backend.services.raw_data import RawDataReader

        return RawDataReader(self.bronze, self.dataset_catalogue)

    @cached_property
    def dataset_deletion(self) -> "DatasetDeletion":
        """Deletes datasets with all that was made of them."""
        from backend.services.dataset_deletion import DatasetDeletion

        return DatasetDeletion(
            self.datasets,
            self.jobs,
            self.bronze,
            self.lake,
            self._bronze_counter,
            self.destinations.values(),
            clock=utc_now,
        )

    @cached_property
    def notifications(self) -> "NotificationService":
        """Shows users what they were told."""
        from backend.services.notifications import NotificationService

        return NotificationService(self.notification_table, utc_now)

    @cached_property
    def job_watching(self) -> "JobWatcher":
        """Follows jobs until they end."""
        from backend.services.job_watching import JobWatcher

        return JobWatcher(self.reporting)

    @cached_property
    def tables(self) -> "TableReader":
        """Reads the tables of finished jobs."""
        from backend.services.table_reading import TableReader

        return TableReader(self.lake)

    @cached_property
    def gold_figures(self) -> "GoldFigureReader":
        """Reads what Gold shows at a glance."""
        from backend.services.gold_figures import GoldFigureReader

        return GoldFigureReader(self.tables)

    @cached_property
    def health(self) -> "HealthService":
        """Knows whether everything outside answers."""
        from backend.services.health import HealthService

        return HealthService(
            {
                "storage": self._ping_containers,
                "queues": self.queues.ping,
                "tables": self.jobs.ping,
                "database": self.account_database.ping,
            }
        )

    @cached_property
    def figures(self) -> "OperationalFigures":
        """Knows how the whole service is doing."""
        from backend.services.operational_figures import OperationalFigures

        return OperationalFigures(
            self.jobs,
            self.queues,
            queue_names=queue_names(self.settings),
            clock=utc_now,
            seconds=time.monotonic,
        )

    @cached_property
    def router(self) -> DataRouter:
        """Chooses paths."""
        return DataRouter(
            self.queues,
            self.settings.small_batch_record_limit,
            self.settings.small_batch_queue,
            self.settings.large_batch_queue,
        )

    @cached_property
    def dispatcher(self) -> "JobDispatcher":
        """Turns jobs into messages."""
        from backend.services.dispatching import JobDispatcher

        return JobDispatcher(self.jobs, self.router, utc_now)

    @cached_property
    def _bronze_counter(self) -> "BronzeCounter":
        from backend.services.bronze_counting import BronzeCounter

        return BronzeCounter(
            self.bronze, self.settings.small_batch_record_limit, self.settings.small_batch_byte_limit
        )

    def _cleaning_with(self, cleaner: "DatasetCleaner") -> "CleaningService":
        from backend.services.cleaning import CleaningService

        return CleaningService(
            self.bronze,
            self.lake,
            self.jobs,
            self.datasets,
            self.router,
            cleaner,
            self.heartbeat,
            utc_now,
        )

    def _ping_containers(self) -> None:
        self.bronze.ping()
        self.lake.ping()


def table_names() -> tuple[str, ...]:
    """Every table of the storage account that the service keeps rows in."""
    from backend.adapters import dataset_table, idempotency_table, job_progress_table, notification_table

    return (
        job_progress_table.TABLE_NAME,
        job_progress_table.OPEN_JOBS_TABLE_NAME,
        job_progress_table.JOB_ENDINGS_TABLE_NAME,
        dataset_table.TABLE_NAME,
        idempotency_table.TABLE_NAME,
        notification_table.TABLE_NAME,
    )


def ensure_storage(settings: Settings) -> None:
    """Create the containers, queues and tables that are missing.

    For the stack on one machine; on Azure the set-up script does this, and the service's identity need
    not be allowed to.
    """
    from azure.core.exceptions import ResourceExistsError

    for container in (lake_paths.BRONZE_CONTAINER, lake_paths.LAKE_CONTAINER):
        with suppress(ResourceExistsError):
            lake_service(settings.lake).create_file_system(container)
    for queue in queue_names(settings):
        with suppress(ResourceExistsError):
            queue_service(settings.storage).create_queue(queue)
    for table in table_names():
        table_service(settings.storage).create_table_if_not_exists(table)
