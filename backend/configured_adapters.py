"""Builds adapters from the settings: what is outside, as the settings say that it is reached.

Every one is built when it is first asked for, and imported then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from backend import lake_paths
from backend.azure_clients import identity, lake_service, queue_service, table_service
from backend.domain.errors import InvalidSettings
from backend.domain.jobs import Destination
from backend.ports import GoldDestination, LeasedQueue, SparkJobs
from backend.settings import Settings, StorageAccount

if TYPE_CHECKING:
    from azure.data.tables import TableServiceClient

    from backend.adapters.account_database import AccountDatabase
    from backend.adapters.attempt_counts import AttemptCountDatabase
    from backend.adapters.data_lake import DataLakeContainer
    from backend.adapters.dataset_table import DatasetTable
    from backend.adapters.fault_points import FaultPoints
    from backend.adapters.frontend_tables import FrontendTables
    from backend.adapters.idempotency_table import IdempotencyTable
    from backend.adapters.job_progress_table import JobProgressTable
    from backend.adapters.notification_table import NotificationTable
    from backend.adapters.storage_queue import StorageQueues


class ConfiguredAdapters:
    """One process's adapters. Nothing is connected before it is used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def queues(self) -> "StorageQueues":
        """The queues that start work."""
        from backend.adapters.storage_queue import StorageQueues

        queues = StorageQueues(queue_service(self.settings.storage), queue_names(self.settings))
        faults = self._fault_points
        return queues if faults is None else faults.around_queues(queues)

    @cached_property
    def large_queue(self) -> LeasedQueue:
        """The queue of the large path, whose messages are worked on in steps."""
        from backend.adapters.leased_queue import StorageLeasedQueue

        name, faults = self.settings.large_batch_queue, self._fault_points
        queue = StorageLeasedQueue(queue_service(self.settings.storage), name)
        if faults is None:
            return queue
        return faults.around(queue, renew=lambda *_: name, delete=lambda _: name, poison=lambda _: name)

    @cached_property
    def jobs(self) -> "JobProgressTable":
        """The JobProgress table."""
        from backend.adapters.job_progress_table import JobProgressTable

        jobs, faults = JobProgressTable(self._table_service), self._fault_points
        return jobs if faults is None else faults.around_jobs(jobs)

    @cached_property
    def datasets(self) -> "DatasetTable":
        """The Datasets table."""
        from backend.adapters.dataset_table import DatasetTable

        datasets, faults = DatasetTable(self._table_service), self._fault_points
        if faults is None:
            return datasets
        return faults.around(datasets, update=lambda *_: "dataset")

    @cached_property
    def idempotency(self) -> "IdempotencyTable":
        """The IdempotencyKeys table."""
        from backend.adapters.idempotency_table import IdempotencyTable

        return IdempotencyTable(self._table_service)

    @cached_property
    def notification_table(self) -> "NotificationTable":
        """The Notifications table."""
        from backend.adapters.notification_table import NotificationTable

        return NotificationTable(self._table_service)

    @cached_property
    def bronze(self) -> "DataLakeContainer":
        """The container of raw data."""
        return self._containers[0]

    @cached_property
    def lake(self) -> "DataLakeContainer":
        """The container of Silver, Gold and logs."""
        return self._containers[1]

    @cached_property
    def container_opener(self) -> "Callable[[StorageAccount], tuple[DataLakeContainer, DataLakeContainer]]":
        """How each process of Spark comes to the lake, which can be pickled."""
        return open_containers if self._fault_points is None else _WatchedContainers(self._fault_points)

    @cached_property
    def account_database(self) -> "AccountDatabase":
        """The accounts."""
        from backend.adapters.account_database import AccountDatabase

        return AccountDatabase(self.settings.require_database_url())

    @cached_property
    def attempt_counts(self) -> "AttemptCountDatabase":
        """How often credentials were tried."""
        from backend.adapters.attempt_counts import AttemptCountDatabase

        return AttemptCountDatabase(self.settings.require_database_url())

    @cached_property
    def operational_tables(self) -> "FrontendTables":
        """What the existing frontend reads of the operational database."""
        from backend.adapters.frontend_tables import FrontendTables

        return FrontendTables(self.settings.require_database_url())

    @cached_property
    def destinations(self) -> dict[Destination, GoldDestination]:
        """The databases that Gold is loaded into; without settings for a warehouse there is none."""
        destinations: dict[Destination, GoldDestination] = {Destination.OPERATIONAL: self._operational()}
        if (warehouse := self._warehouse()) is not None:
            destinations[Destination.WAREHOUSE] = warehouse
        if (faults := self._fault_points) is None:
            return destinations
        return {
            name: faults.around(each, load=lambda *_, into=name: f"into {into}")
            for name, each in destinations.items()
        }

    @cached_property
    def spark_jobs(self) -> SparkJobs:
        """Where datasets of the large path are cleaned."""
        settings = self.settings
        if settings.spark_worker_url:
            from backend.adapters.spark_worker_jobs import SparkWorkerJobs

            return SparkWorkerJobs(settings.spark_worker_url)
        if settings.databricks_host and settings.databricks_job_id:
            from backend.adapters.databricks_jobs import DatabricksJobs

            return DatabricksJobs(settings.databricks_host, settings.databricks_job_id, identity())
        from backend.adapters.unconfigured_spark import UnconfiguredSpark

        return UnconfiguredSpark("the large path needs DATABRICKS_HOST and DATABRICKS_JOB_ID to be set")

    def _operational(self) -> GoldDestination:
        from backend.adapters.operational_database import OperationalDatabase
        from backend.adapters.unconfigured_destination import UnconfiguredDestination

        try:
            return OperationalDatabase(self.settings.require_database_url())
        except InvalidSettings as error:
            return UnconfiguredDestination("the operational database", str(error))

    def _warehouse(self) -> GoldDestination | None:
        settings = self.settings
        if settings.warehouse_file:
            from backend.adapters.duckdb_warehouse import DuckDbWarehouse

            return DuckDbWarehouse(settings.warehouse_file)
        if settings.synapse_server and settings.synapse_database:
            from backend.adapters.synapse_warehouse import SynapseWarehouse, connect

            server, database = settings.synapse_server, settings.synapse_database
            account = settings.lake.name or ""
            return SynapseWarehouse(lambda: connect(server, database), account)
        return None

    @cached_property
    def _table_service(self) -> "TableServiceClient":
        service, faults = table_service(self.settings.storage), self._fault_points
        return service if faults is None else faults.around_tables(service)

    @cached_property
    def _containers(self) -> "tuple[DataLakeContainer, DataLakeContainer]":
        return self.container_opener(self.settings.lake)

    @cached_property
    def _fault_points(self) -> "FaultPoints | None":
        if self.settings.fault_points is None:
            return None
        from backend.adapters.fault_points import FaultPoints

        return FaultPoints(self.settings.fault_points)


@dataclass(frozen=True, slots=True)
class _WatchedContainers:
    """As `open_containers`, with fault points at what is written."""

    faults: "FaultPoints"

    def __call__(self, account: StorageAccount) -> "tuple[DataLakeContainer, DataLakeContainer]":
        bronze, lake = open_containers(account)
        return self.faults.around_files(bronze), self.faults.around_files(lake)


def open_containers(account: StorageAccount) -> "tuple[DataLakeContainer, DataLakeContainer]":
    """Bronze, and the container of all that is made of it."""
    from backend.adapters.data_lake import DataLakeContainer

    service = lake_service(account)
    return (
        DataLakeContainer(service, lake_paths.BRONZE_CONTAINER),
        DataLakeContainer(service, lake_paths.LAKE_CONTAINER),
    )


def queue_names(settings: Settings) -> tuple[str, ...]:
    """Every queue that the service sends to."""
    return settings.small_batch_queue, settings.large_batch_queue, settings.data_generation_queue
