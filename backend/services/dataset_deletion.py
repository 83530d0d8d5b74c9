"""Deleting a dataset with everything that was made of it."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from backend import lake_paths
from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import Conflict
from backend.domain.identifiers import is_dataset_id
from backend.ports import DatasetStore, FileSystem, GoldDestination, JobProgressStore
from backend.services.bronze_counting import BronzeCounter
from backend.services.dataset_catalogue import no_such_dataset


class DatasetDeletion:
    """Deletes datasets, in an order in which a crash anywhere does no harm.

    1. The dataset is marked as deleted, with a row of its own if it was put into Bronze by hand. From then on
       nobody sees it, and nobody takes on work on it.
    2. Its jobs go: their outputs are there for nobody any more. Whoever works on one after all, since they
       were thought dead, finds no job when they want to say that they have done, and takes back what they
       wrote (`CleaningService`, `LoadingService`, `GenerationService`).
    3. The outputs in the lake, the rows in the databases, and Bronze go.
    4. The dataset's own row goes last. As long as it stands, the same call, or the janitor, does the rest.
    """

    def __init__(
        self,
        datasets: DatasetStore,
        jobs: JobProgressStore,
        bronze: FileSystem,
        lake: FileSystem,
        bronze_counter: BronzeCounter,
        destinations: Iterable[GoldDestination],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._datasets = datasets
        self._jobs = jobs
        self._bronze = bronze
        self._lake = lake
        self._bronze_counter = bronze_counter
        self._destinations = tuple(destinations)
        self._clock = clock

    def delete(self, user_id: str, parent_job_id: str) -> int:
        """Delete a dataset: Bronze, every output of its jobs, their rows, and its own.

        What is kept: the ends of its jobs among all others' (`JobEndings`), and their notifications.

        Returns:
            How many files that were, of Bronze and of outputs; after a call that was broken off, those that
            it had left.

        Raises:
            NotFound: the user has no such dataset.
            Conflict: a job on it has not ended; nothing was deleted.
            Unavailable: a database does not answer. Nothing was deleted if that was seen at the beginning;
                the same call does the rest.
        """
        self._require(user_id, parent_job_id)
        self._refuse_while_running(user_id, parent_job_id)
        for destination in self._destinations:
            destination.ping()
        self._mark(user_id, parent_job_id)
        return self._remove(user_id, parent_job_id)

    def finish(self, begun_before: datetime) -> int:
        """Bring deletions to their end that were begun before then and broken off; how many."""
        finished = 0
        for dataset in self._datasets.deleted_before(begun_before):
            # One that a job has slipped into waits for that job's end.
            with suppress(Conflict):
                self._refuse_while_running(dataset.user_id, dataset.parent_job_id)
                self._remove(dataset.user_id, dataset.parent_job_id)
                finished += 1
        return finished

    def _require(self, user_id: str, parent_job_id: str) -> None:
        if not is_dataset_id(parent_job_id):
            raise no_such_dataset()
        dataset = self._datasets.get(user_id, parent_job_id)
        if dataset is None and not self._bronze_counter.holds(user_id, parent_job_id):
            raise no_such_dataset()
        if dataset is not None and dataset.status is DatasetStatus.UPLOADING:
            raise no_such_dataset()

    def _refuse_while_running(self, user_id: str, parent_job_id: str) -> None:
        for job in self._jobs.of_dataset(user_id, parent_job_id):
            if not job.status.is_final:
                raise Conflict(
                    f"the job {job.job_id} on this dataset is {job.status.value}: wait until it has ended",
                    "dataset_in_use",
                )

    def _mark(self, user_id: str, parent_job_id: str) -> None:
        """Let nobody begin anything on the dataset. Raises Conflict when somebody just has."""
        now = self._clock()
        placed_by_hand = self._datasets.get(user_id, parent_job_id) is None
        if placed_by_hand:
            with suppress(Conflict):
                self._datasets.add(_placed_by_hand(user_id, parent_job_id, now))
        marked = self._datasets.update(user_id, parent_job_id, lambda current: current.deleted(now))
        try:
            # Whoever takes a job on looks at the mark after the job was added: one of the two sees the other.
            self._refuse_while_running(user_id, parent_job_id)
        except Conflict:
            if marked.deleted_at == now:
                self._unmark(user_id, parent_job_id, placed_by_hand=placed_by_hand)
            raise

    def _unmark(self, user_id: str, parent_job_id: str, *, placed_by_hand: bool) -> None:
        if placed_by_hand:
            self._datasets.delete(user_id, parent_job_id)
        else:
            self._datasets.update(user_id, parent_job_id, Dataset.kept)

    def _remove(self, user_id: str, parent_job_id: str) -> int:
        for job in self._jobs.of_dataset(user_id, parent_job_id):
            day = job.as_of.astimezone(UTC).date()
            self._lake.delete_file(lake_paths.transformation_metrics(day, job.job_id))
            self._jobs.delete(user_id, job.job_id)
        folders = lake_paths.dataset_output_folders(user_id, parent_job_id)
        files = sum(self._lake.delete_folder(folder) for folder in folders)
        for destination in self._destinations:
            destination.remove(user_id, parent_job_id)
        files += self._bronze.delete_folder(lake_paths.bronze_dataset(user_id, parent_job_id))
        self._datasets.delete(user_id, parent_job_id)
        return files


def _placed_by_hand(user_id: str, parent_job_id: str, now: datetime) -> Dataset:
    return Dataset(user_id, parent_job_id, 0, 0, DatasetStatus.READY, now, deleted_at=now)
