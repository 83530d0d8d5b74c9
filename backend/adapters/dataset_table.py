"""The Datasets table: PartitionKey userId, RowKey parentJobId."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from azure.data.tables import TableEntity, TableServiceClient

from backend.adapters.table_rows import TableRows, properties_of, record_from
from backend.domain.datasets import Dataset, DatasetStatus

TABLE_NAME = "Datasets"

_KEYS = ("user_id", "parent_job_id")


class DatasetTable:
    """Implements `DatasetStore`."""

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = TableRows(service, TABLE_NAME)

    def add(self, dataset: Dataset) -> None:
        """Insert a dataset. Raises Conflict when the id is taken."""
        self._rows.insert(dataset.user_id, dataset.parent_job_id, _properties(dataset))

    def get(self, user_id: str, parent_job_id: str) -> Dataset | None:
        """A dataset, or None."""
        entity = self._rows.get(user_id, parent_job_id)
        return None if entity is None else _dataset(entity)

    def update(self, user_id: str, parent_job_id: str, change: Callable[[Dataset], Dataset]) -> Dataset:
        """As JobProgressTable.update."""
        return self._rows.update(user_id, parent_job_id, _dataset, _properties, change)

    def of_user(self, user_id: str) -> list[Dataset]:
        """Every dataset of a user."""
        rows = self._rows.query("PartitionKey eq @user", {"user": user_id})
        return [_dataset(row) for row in rows]

    def deleted_before(self, moment: datetime) -> list[Dataset]:
        """See the port; reads the whole table."""
        rows = self._rows.query("deletedAt lt @moment", {"moment": moment})
        return [_dataset(row) for row in rows]

    def uploading(self) -> list[Dataset]:
        """Every user's datasets whose upload has not ended; reads the whole table."""
        rows = self._rows.query("status eq @status", {"status": DatasetStatus.UPLOADING})
        return [_dataset(row) for row in rows]

    def delete(self, user_id: str, parent_job_id: str) -> None:
        """Forget a dataset; nothing happens when it is not known."""
        self._rows.delete(user_id, parent_job_id)


def _properties(dataset: Dataset) -> dict[str, Any]:
    return properties_of(dataset, leave_out=_KEYS)


def _dataset(entity: TableEntity) -> Dataset:
    return record_from(entity, Dataset, user_id=entity["PartitionKey"], parent_job_id=entity["RowKey"])
