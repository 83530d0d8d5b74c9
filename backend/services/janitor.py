"""What killed processes leave half done in the lake, and nobody will finish."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from backend import lake_paths
from backend.ports import DatasetStore, FileSystem
from backend.services.dataset_deletion import DatasetDeletion

PATIENCE = timedelta(days=1)
"""So old is what is removed: older than the longest upload, whose parts are written as it comes in."""


class Cleared(msgspec.Struct, rename="camel", kw_only=True):
    """What one round removed.

    Attributes:
        files: files that were being written.
        uploads: datasets whose upload was broken off, with their parts.
        deletions: datasets whose deletion was broken off, with all that was left.
    """

    files: int = 0
    uploads: int = 0
    deletions: int = 0


class Janitor:
    """Removes files and uploads that were begun and never finished, and finishes deletions."""

    def __init__(
        self,
        bronze: FileSystem,
        lake: FileSystem,
        datasets: DatasetStore,
        deletion: DatasetDeletion,
        *,
        patience: timedelta = PATIENCE,
        clock: Callable[[], datetime],
    ) -> None:
        self._bronze = bronze
        self._lake = lake
        self._datasets = datasets
        self._deletion = deletion
        self._patience = patience
        self._clock = clock

    def clear(self) -> Cleared:
        """Go through both containers, and through the datasets that are being uploaded or deleted."""
        before = self._clock() - self._patience
        uploads = [each for each in self._datasets.uploading() if each.created_at <= before]
        for dataset in uploads:
            # The row last: as long as it is there, the next round comes back to a folder that is not gone.
            self._bronze.delete_folder(lake_paths.bronze_dataset(dataset.user_id, dataset.parent_job_id))
            self._datasets.delete(dataset.user_id, dataset.parent_job_id)
        files = sum(container.remove_unfinished(before) for container in (self._bronze, self._lake))
        return Cleared(files=files, uploads=len(uploads), deletions=self._deletion.finish(before))
