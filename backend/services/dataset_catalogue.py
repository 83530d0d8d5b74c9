"""Which datasets a user has, and what is known of each without cleaning it."""

from dataclasses import dataclass

from backend import lake_paths
from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import NotFound
from backend.domain.identifiers import is_dataset_id
from backend.ports import DatasetStore, FileSystem, LakeFile
from backend.services.bronze_counting import BronzeCounter


@dataclass(frozen=True, slots=True)
class DatasetMetadata:
    """What is known of a dataset.

    Attributes:
        record_count: while it is generated, the number asked for; an estimate where an operator has put more
            into Bronze by hand than the small path takes.
        total_chunks: its parts, those included that are still to be generated.
    """

    record_count: int
    total_chunks: int
    status: DatasetStatus


class DatasetCatalogue:
    """Knows the datasets that were uploaded or generated, and those that an operator put into Bronze by hand.

    An upload that has not ended is none yet, and what is being deleted is none any more.
    """

    def __init__(self, datasets: DatasetStore, bronze: FileSystem, bronze_counter: BronzeCounter) -> None:
        self._datasets = datasets
        self._bronze = bronze
        self._bronze_counter = bronze_counter

    def ids(self, user_id: str) -> list[str]:
        """The ids of a user's datasets, sorted."""
        known = {dataset.parent_job_id: dataset for dataset in self._datasets.of_user(user_id)}
        by_hand = [
            name
            for name in self._bronze.list_folders(user_id)
            if name not in known and is_dataset_id(name) and self._bronze_counter.holds(user_id, name)
        ]
        return sorted(by_hand + [name for name, dataset in known.items() if is_there(dataset)])

    def metadata(self, user_id: str, parent_job_id: str) -> DatasetMetadata:
        """How large a dataset is, and whether it can be cleaned. Raises NotFound."""
        dataset = self._known(user_id, parent_job_id)
        if dataset is not None:
            return DatasetMetadata(dataset.record_count, dataset.total_chunks, dataset.status)
        parts = self._parts(user_id, parent_job_id)
        count = self._bronze_counter.count(user_id, parent_job_id) or 0
        return DatasetMetadata(count, len(parts), DatasetStatus.READY)

    def parts(self, user_id: str, parent_job_id: str) -> list[LakeFile]:
        """The parts of a dataset that are in Bronze, in the order of cleaning. Raises NotFound."""
        dataset = self._known(user_id, parent_job_id)
        if dataset is None:
            return self._parts(user_id, parent_job_id)
        return _in_order(self._bronze_counter.parts(user_id, parent_job_id))

    def _known(self, user_id: str, parent_job_id: str) -> Dataset | None:
        if not is_dataset_id(parent_job_id):
            raise no_such_dataset()
        dataset = self._datasets.get(user_id, parent_job_id)
        if dataset is not None and not is_there(dataset):
            raise no_such_dataset()
        return dataset

    def _parts(self, user_id: str, parent_job_id: str) -> list[LakeFile]:
        parts = self._bronze_counter.parts(user_id, parent_job_id)
        if not parts:
            raise no_such_dataset()
        return _in_order(parts)


def is_there(dataset: Dataset) -> bool:
    """Whether a user may know of a dataset."""
    return dataset.deleted_at is None and dataset.status is not DatasetStatus.UPLOADING


def no_such_dataset() -> NotFound:
    """The error for a dataset that does not exist, or is another user's."""
    return NotFound("there is no such dataset: upload or generate one first")


def _in_order(parts: list[LakeFile]) -> list[LakeFile]:
    return sorted(parts, key=lambda part: lake_paths.file_name(part.path).encode())
