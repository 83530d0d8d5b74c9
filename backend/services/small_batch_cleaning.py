"""The small path's engine with its storage: a dataset in one process."""

from collections.abc import Iterator, Sequence

from backend import lake_paths
from backend.domain.messages import CleaningMessage
from backend.ports import FileSystem, LakeFile
from backend.services.cleaned_dataset import CleanedDataset, OnProgress, PastSmallPath
from backend.services.dataset_cleaning import clean_dataset
from backend.services.outputs import OutputWriter
from backend.telemetry import traces
from backend.transformations.bronze import BronzePart


class SmallBatchCleaner:
    """Implements `DatasetCleaner` with pandas.

    Args:
        record_limit: the greatest number of records that it takes.
        byte_limit: the greatest size of a dataset that it opens to count them.
    """

    def __init__(self, bronze: FileSystem, lake: FileSystem, *, record_limit: int, byte_limit: int) -> None:
        self._bronze = bronze
        self._lake = lake
        self._record_limit = record_limit
        self._byte_limit = byte_limit

    def clean(
        self, message: CleaningMessage, parts: Sequence[LakeFile], attempt: int, on_progress: OnProgress
    ) -> CleanedDataset:
        """Clean a dataset, or find that it is too large."""
        if sum(part.size for part in parts) > self._byte_limit:
            raise PastSmallPath(f"more than {self._byte_limit} bytes")
        paths = lake_paths.job_outputs(message.user_id, message.parent_job_id, message.job_id)
        writer = OutputWriter(self._lake, paths)
        if attempt > 1:
            writer.withdraw()
        return clean_dataset(
            message.job_id, message.as_of, self._read(parts), writer, on_progress, self._record_limit
        )

    def _read(self, parts: Sequence[LakeFile]) -> Iterator[BronzePart]:
        for part in parts:
            with traces.span("reading bronze", bytes=part.size):
                content = self._bronze.read(part.path)
            yield BronzePart(lake_paths.file_name(part.path), content)
