"""The table adapters over real Table storage. Each test takes a user of its own."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient

from backend.adapters.dataset_table import DatasetTable
from backend.adapters.idempotency_table import IdempotencyTable
from backend.adapters.job_progress_table import JobProgressTable
from backend.adapters.notification_table import NotificationTable
from backend.adapters.table_rows import TableRows
from backend.azure_clients import table_service
from backend.bootstrap import table_names
from backend.domain.datasets import Dataset, DatasetStatus
from backend.domain.errors import Conflict, NotFound
from backend.domain.identifiers import new_job_id, new_user_id
from backend.domain.job_endings import JobEnding
from backend.domain.jobs import Counts, Job, JobKind, JobStatus, ProcessingPath
from backend.domain.notifications import Notification
from backend.ports import IdempotencyClaim
from backend.settings import StorageAccount
from tests.local_storage import LocalStorage

NOW = datetime(2026, 11, 22, 21, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables(local_storage: LocalStorage) -> TableServiceClient:
    service = table_service(StorageAccount(local_storage.connection_string, None))
    for name in table_names():
        service.create_table_if_not_exists(name)
    return service


@pytest.fixture
def jobs(tables: TableServiceClient) -> JobProgressTable:
    return JobProgressTable(tables)


@pytest.fixture
def notifications(tables: TableServiceClient) -> NotificationTable:
    return NotificationTable(tables)


@pytest.fixture
def datasets(tables: TableServiceClient) -> DatasetTable:
    return DatasetTable(tables)


def job(user_id: str, minutes: int = 0, **changes: object) -> Job:
    submitted = NOW + timedelta(minutes=minutes)
    plain = Job(
        user_id=user_id,
        job_id=new_job_id(submitted),
        parent_job_id="orders-2026",
        job_name="Größe ✓",
        kind=JobKind.CLEAN,
        status=JobStatus.QUEUED,
        stage="waiting for a worker",
        record_count=5000,
        as_of=submitted,
        submitted_at=submitted,
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # fields of a Job


def full_job(user_id: str) -> Job:
    return job(
        user_id,
        processing_path=ProcessingPath.SMALL_BATCH,
        queue_name="small-batch-queue",
        progress_done=3,
        progress_total=11,
        counts=Counts(5000, 4890, 80, 30),
        quality_score=97.0,
        started_at=NOW + timedelta(seconds=1),
        finished_at=NOW + timedelta(seconds=2),
        attempts=2,
        error="part.json: oops at byte 5",
        record_count=3_000_000_000,
    )


def test_a_job_comes_back_as_it_was_added(jobs: JobProgressTable) -> None:
    plain, full = job(new_user_id()), full_job(new_user_id())
    jobs.add(plain)
    jobs.add(full)
    assert jobs.get(plain.user_id, plain.job_id) == plain
    assert jobs.get(full.user_id, full.job_id) == full


def test_a_job_is_a_row_by_user_and_job_with_the_names_of_the_api(
    jobs: JobProgressTable, tables: TableServiceClient
) -> None:
    full = full_job(new_user_id())
    jobs.add(full)
    row = tables.get_table_client("JobProgress").get_entity(full.user_id, full.job_id)
    assert row["parentJobId"] == "orders-2026"
    assert row["processingPath"] == "small_batch"
    assert row["recordsIn"].value == 5000
    assert row["status"] == "queued"
    assert row["qualityScore"] == 97.0


def test_an_unknown_job_is_none(jobs: JobProgressTable) -> None:
    assert jobs.get(new_user_id(), new_job_id()) is None


def test_a_missing_table_is_an_error_and_not_a_missing_row(tables: TableServiceClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        TableRows(tables, "NoSuchTable").get("a", "b")
    with pytest.raises(ResourceNotFoundError):
        TableRows(tables, "NoSuchTable").ping()


def test_a_taken_job_id_is_a_conflict(jobs: JobProgressTable) -> None:
    first = job(new_user_id())
    jobs.add(first)
    with pytest.raises(Conflict):
        jobs.add(replace(first, record_count=1))


def test_adding_the_very_same_row_again_is_a_retry_whose_first_answer_was_lost(
    jobs: JobProgressTable,
) -> None:
    first = full_job(new_user_id())
    jobs.add(first)
    jobs.add(first)
    assert jobs.get(first.user_id, first.job_id) == first


def test_an_update_replaces_every_field_and_clears_those_that_became_none(jobs: JobProgressTable) -> None:
    full = full_job(new_user_id())
    jobs.add(full)
    changed = jobs.update(
        full.user_id, full.job_id, lambda current: replace(current, counts=None, error=None, stage="again")
    )
    assert changed == replace(full, counts=None, error=None, stage="again")
    assert jobs.get(full.user_id, full.job_id) == changed


def test_updating_an_unknown_job_is_not_found(jobs: JobProgressTable) -> None:
    with pytest.raises(NotFound):
        jobs.update(new_user_id(), new_job_id(), lambda current: current)


def test_no_update_is_lost_when_many_come_at_once(jobs: JobProgressTable) -> None:
    one = job(new_user_id())
    jobs.add(one)

    def count(_: int) -> None:
        jobs.update(one.user_id, one.job_id, lambda now: replace(now, attempts=now.attempts + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(24)))
    after = jobs.get(one.user_id, one.job_id)
    assert after is not None
    assert after.attempts == 24


def test_a_change_that_changes_nothing_writes_nothing(
    jobs: JobProgressTable, tables: TableServiceClient
) -> None:
    one = job(new_user_id())
    jobs.add(one)
    table = tables.get_table_client("JobProgress")
    before = table.get_entity(one.user_id, one.job_id).metadata["etag"]
    assert jobs.update(one.user_id, one.job_id, lambda current: current) == one
    assert table.get_entity(one.user_id, one.job_id).metadata["etag"] == before


def test_a_change_that_raises_leaves_the_row(jobs: JobProgressTable) -> None:
    one = job(new_user_id())
    jobs.add(one)

    def refuse(_: Job) -> Job:
        raise Conflict("no")

    with pytest.raises(Conflict):
        jobs.update(one.user_id, one.job_id, refuse)
    assert jobs.get(one.user_id, one.job_id) == one


def test_pages_are_newest_first_and_hold_one_users_jobs(jobs: JobProgressTable) -> None:
    user, other = new_user_id(), new_user_id()
    mine = [job(user, minutes) for minutes in range(5)]
    for each in (*mine, job(other, 9)):
        jobs.add(each)
    newest_first = mine[::-1]
    assert jobs.page(user, None, 10, None) == newest_first
    assert jobs.page(user, None, 2, None) == newest_first[:2]
    assert jobs.page(user, None, 2, newest_first[1].job_id) == newest_first[2:4]
    assert jobs.page(user, None, 2, newest_first[-1].job_id) == []


def test_pages_filter_by_status(jobs: JobProgressTable) -> None:
    user = new_user_id()
    failed = [job(user, minutes, status=JobStatus.FAILED) for minutes in (1, 3)]
    for each in (job(user, 0), failed[0], job(user, 2), failed[1]):
        jobs.add(each)
    assert jobs.page(user, JobStatus.FAILED, 10, None) == failed[::-1]
    assert jobs.page(user, JobStatus.FAILED, 10, failed[1].job_id) == failed[:1]
    assert jobs.page(user, JobStatus.COMPLETED, 10, None) == []


def test_the_jobs_of_a_dataset(jobs: JobProgressTable) -> None:
    user = new_user_id()
    on_it = [job(user, 0, parent_job_id="a"), job(user, 2, parent_job_id="a")]
    for each in (*on_it, job(user, 1, parent_job_id="b"), job(new_user_id(), 1, parent_job_id="a")):
        jobs.add(each)
    assert jobs.of_dataset(user, "a") == on_it[::-1]


def dataset(user_id: str) -> Dataset:
    return Dataset(user_id, "orders-2026", 5000, 2, DatasetStatus.GENERATING, NOW, (1 << 63) - 1, 0.05, 2500)


def test_a_dataset_comes_back_as_it_was_added_and_changed(datasets: DatasetTable) -> None:
    one = dataset(new_user_id())
    datasets.add(one)
    assert datasets.get(one.user_id, one.parent_job_id) == one
    ready = datasets.update(one.user_id, one.parent_job_id, lambda dataset: dataset.ready("00003"))
    assert ready == replace(one, status=DatasetStatus.READY, completed_by="00003")
    assert datasets.get(one.user_id, one.parent_job_id) == ready


def test_a_dataset_without_a_recipe_comes_back_without(datasets: DatasetTable) -> None:
    one = replace(dataset(new_user_id()), seed=None, error_rate=None, chunk_size=None)
    datasets.add(one)
    assert datasets.get(one.user_id, one.parent_job_id) == one


def test_a_taken_dataset_id_is_a_conflict_and_an_unknown_one_not_found(datasets: DatasetTable) -> None:
    one = dataset(new_user_id())
    datasets.add(one)
    with pytest.raises(Conflict):
        datasets.add(replace(one, record_count=1))
    with pytest.raises(NotFound):
        datasets.update(one.user_id, "another", lambda dataset: dataset.ready("00003"))
    assert datasets.get(one.user_id, "another") is None


def test_a_deleted_dataset_is_gone_and_deleting_it_again_does_nothing(datasets: DatasetTable) -> None:
    one = dataset(new_user_id())
    datasets.add(one)
    datasets.delete(one.user_id, one.parent_job_id)
    datasets.delete(one.user_id, one.parent_job_id)
    assert datasets.get(one.user_id, one.parent_job_id) is None


def test_the_first_claim_of_a_key_stands(tables: TableServiceClient) -> None:
    store, user = IdempotencyTable(tables), new_user_id()
    first = IdempotencyClaim("digest-1", "job-1", "dataset-1")
    key = "any/key\\with #?%ü characters"
    assert store.claim(user, key, first) == first
    assert store.claim(user, key, IdempotencyClaim("digest-2", "job-2", "dataset-2")) == first
    second = IdempotencyClaim("digest-3", "job-3", "dataset-3")
    assert store.claim(new_user_id(), key, second) == second


def test_one_of_many_simultaneous_claims_stands(tables: TableServiceClient) -> None:
    store, user = IdempotencyTable(tables), new_user_id()

    def claim(number: int) -> IdempotencyClaim:
        return store.claim(user, "key", IdempotencyClaim("digest", f"job-{number}", "dataset"))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(claim, range(8)))) == 1


def _open(jobs: JobProgressTable, user_id: str) -> list[Job]:
    seen = [jobs.look_at(entry) for entry in jobs.open_jobs() if entry.user_id == user_id]
    return [job for job in seen if job is not None]


def test_a_job_is_open_from_its_submission_to_its_end(jobs: JobProgressTable) -> None:
    user = new_user_id()
    new = job(user)
    jobs.add(new)
    assert _open(jobs, user) == [new]
    started = jobs.update(user, new.job_id, lambda current: current.started(NOW, "reading bronze", 12))
    assert _open(jobs, user) == [started]
    counts = Counts(1, 1, 0, 0)
    cleaned = jobs.update(user, new.job_id, lambda current: current.cleaned(NOW, counts, 100.0))
    assert _open(jobs, user) == [cleaned]
    jobs.update(user, new.job_id, lambda current: current.completed(NOW))
    assert _open(jobs, user) == []


def test_a_job_that_is_retried_is_open_again(jobs: JobProgressTable) -> None:
    user = new_user_id()
    new = job(user)
    jobs.add(new)
    for change in (
        lambda current: current.started(NOW, "reading bronze", 12),
        lambda current: current.failed(NOW, "no luck"),
        lambda current: current.queued(NOW, ProcessingPath.SMALL_BATCH, "small", "waiting"),
        lambda current: current.started(NOW, "reading bronze", 12),
    ):
        last = jobs.update(user, new.job_id, change)
    assert _open(jobs, user) == [last]


def test_a_job_that_is_retried_while_its_end_is_put_away_stays_open(
    jobs: JobProgressTable, tables: TableServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = new_user_id()
    failed = job(user_id)
    late = JobProgressTable(tables)
    jobs.add(failed)
    with monkeypatch.context() as put_off:
        put_off.setattr(late, "_forget", lambda *_: None)
        late.update(user_id, failed.job_id, lambda current: current.failed(NOW, "given up"))
    note_open = jobs._note_open

    def note_open_before_the_other_forgets(current: Job) -> None:
        monkeypatch.setattr(jobs, "_note_open", note_open)
        note_open(current)
        late._forget(user_id, failed.job_id)

    monkeypatch.setattr(jobs, "_note_open", note_open_before_the_other_forgets)
    jobs.update(
        user_id,
        failed.job_id,
        lambda current: current.queued(NOW, ProcessingPath.SMALL_BATCH, "small", "waiting"),
    )
    assert [entry.status for entry in jobs.open_jobs() if entry.user_id == user_id] == [JobStatus.QUEUED]


def test_a_key_that_a_crash_left_in_the_index_is_taken_out(
    jobs: JobProgressTable, tables: TableServiceClient
) -> None:
    user = new_user_id()
    ended, gone = job(user, status=JobStatus.COMPLETED), new_job_id(NOW)
    jobs.add(ended)
    index = TableRows(tables, "OpenJobs")
    index.put(user, gone, {"status": "queued", "quietSince": NOW})
    assert {entry.job_id for entry in jobs.open_jobs() if entry.user_id == user} == {ended.job_id, gone}
    assert _open(jobs, user) == []
    assert [entry for entry in jobs.open_jobs() if entry.user_id == user] == []


def test_an_entry_that_is_looked_at_tells_when_the_job_was_last_heard_of(jobs: JobProgressTable) -> None:
    user = new_user_id()
    new = job(user)
    jobs.add(new)
    later = NOW + timedelta(minutes=5)
    jobs.update(user, new.job_id, lambda current: current.started(NOW, "reading bronze", 12))
    jobs.update(user, new.job_id, lambda current: current.beating(later))
    [entry] = [each for each in jobs.open_jobs() if each.user_id == user]
    assert (entry.status, entry.quiet_since) == (JobStatus.PROCESSING, NOW)
    jobs.look_at(entry)
    [entry] = [each for each in jobs.open_jobs() if each.user_id == user]
    assert (entry.status, entry.quiet_since) == (JobStatus.PROCESSING, later)


def _endings(jobs: JobProgressTable, job_id: str, hour: datetime) -> list[JobEnding]:
    return [ending for ending in jobs.endings(hour) if ending.job_id == job_id]


def test_the_end_of_a_job_is_kept_in_its_hour(jobs: JobProgressTable) -> None:
    new = job(new_user_id(), processing_path=ProcessingPath.SMALL_BATCH)
    jobs.add(new)
    end = NOW + timedelta(minutes=59)
    counts = Counts(5000, 4890, 80, 30)
    jobs.update(new.user_id, new.job_id, lambda current: current.started(NOW + timedelta(seconds=2), "", 12))
    jobs.update(new.user_id, new.job_id, lambda current: current.cleaned(end, counts, 97.0))
    assert _endings(jobs, new.job_id, NOW) == []
    ended = jobs.update(new.user_id, new.job_id, lambda current: current.completed(end))

    assert _endings(jobs, new.job_id, NOW) == [JobEnding.of(ended)]
    assert _endings(jobs, new.job_id, NOW)[0].counts == counts
    assert _endings(jobs, new.job_id, NOW + timedelta(hours=1)) == []


def test_a_job_that_fails_and_is_retried_ends_twice_and_tells_it_twice(
    jobs: JobProgressTable, notifications: NotificationTable
) -> None:
    new = job(new_user_id())
    jobs.add(new)
    path, later = ProcessingPath.SMALL_BATCH, NOW + timedelta(milliseconds=1)
    jobs.update(new.user_id, new.job_id, lambda current: current.failed(NOW, "oops"))
    jobs.update(new.user_id, new.job_id, lambda current: current.queued(NOW, path, "queue", "again"))
    jobs.update(new.user_id, new.job_id, lambda current: current.failed(later, "oops again"))

    assert [end.ended_at for end in _endings(jobs, new.job_id, NOW)] == [NOW, later]
    assert [each.message for each in notifications.newest(new.user_id, 10)] == [
        "Größe ✓: failed: oops again",
        "Größe ✓: failed: oops",
    ]


def test_an_end_that_a_crash_kept_from_being_told_is_told_once_by_whoever_looks(
    jobs: JobProgressTable, notifications: NotificationTable, tables: TableServiceClient
) -> None:
    new = job(new_user_id())
    jobs.add(new)
    [entry] = [each for each in jobs.open_jobs() if each.user_id == new.user_id]
    ended = new.failed(NOW, "oops")
    row = TableRows(tables, "JobProgress")
    row.put(
        new.user_id,
        new.job_id,
        dict(row.get(new.user_id, new.job_id) or {}) | {"status": "failed", "finishedAt": NOW},
    )

    jobs.look_at(entry)
    jobs.look_at(entry)

    [ending] = _endings(jobs, new.job_id, NOW)
    assert (ending.status, ending.ended_at) == (JobStatus.FAILED, ended.finished_at)
    assert len(notifications.newest(new.user_id, 10)) == 1


def test_a_deleted_notification_of_an_end_does_not_come_back(
    jobs: JobProgressTable, notifications: NotificationTable
) -> None:
    new = job(new_user_id())
    jobs.add(new)
    [entry] = [each for each in jobs.open_jobs() if each.user_id == new.user_id]
    jobs.update(new.user_id, new.job_id, lambda current: current.failed(NOW, "oops"))
    [told] = notifications.newest(new.user_id, 10)
    assert notifications.delete(new.user_id, told.notification_id)

    jobs.look_at(entry)

    assert notifications.newest(new.user_id, 10) == []
    assert not notifications.delete(new.user_id, told.notification_id)


def test_a_notification_comes_back_as_it_was_put_in(notifications: NotificationTable) -> None:
    user = new_user_id()
    saved = Notification.saved(user, 'Größe ✓\n"two" lines', "info", NOW)
    assert notifications.add(saved) == saved.notification_id
    assert notifications.newest(user, 10) == [saved]
    assert notifications.newest(new_user_id(), 10) == []


def test_of_many_who_save_a_message_at_once_one_leaves_it(notifications: NotificationTable) -> None:
    user = new_user_id()
    moments = [NOW + timedelta(milliseconds=each) for each in range(8)]
    with ThreadPoolExecutor(8) as pool:
        ids = set(
            pool.map(lambda now: notifications.add(Notification.saved(user, "hello", "info", now)), moments)
        )
    assert ids == {each.notification_id for each in notifications.newest(user, 10)}
    assert len(ids) == 1


def test_a_saved_message_may_come_again_once_it_is_deleted(notifications: NotificationTable) -> None:
    user, later = new_user_id(), NOW + timedelta(seconds=1)
    first, again = (Notification.saved(user, "hello", "info", now) for now in (NOW, later))
    notifications.add(first)
    assert notifications.delete(user, first.notification_id)
    assert notifications.add(again) == again.notification_id
    assert notifications.newest(user, 10) == [again]


def test_the_newest_notifications_are_as_many_as_asked_for(notifications: NotificationTable) -> None:
    user = new_user_id()
    saved = [
        Notification.saved(user, f"message {each}", "info", NOW + timedelta(milliseconds=each))
        for each in range(5)
    ]
    for each in saved:
        notifications.add(each)
    assert notifications.newest(user, 3) == [saved[4], saved[3], saved[2]]


def test_a_deleted_job_is_gone_from_the_index_too(jobs: JobProgressTable) -> None:
    new = job(new_user_id())
    jobs.add(new)
    jobs.delete(new.user_id, new.job_id)
    jobs.delete(new.user_id, new.job_id)
    assert jobs.get(new.user_id, new.job_id) is None
    assert jobs.count_open(new.user_id, 10) == 0
    with pytest.raises(NotFound):
        jobs.update(new.user_id, new.job_id, lambda current: current.failed(NOW, "late"))


def test_datasets_are_found_by_their_user_and_by_the_time_of_their_deletion(datasets: DatasetTable) -> None:
    user = new_user_id()
    kept = Dataset(user, "kept", 5, 1, DatasetStatus.READY, NOW)
    going = replace(kept, parent_job_id="going").deleted(NOW)
    for each in (kept, going, replace(kept, user_id=new_user_id())):
        datasets.add(each)

    assert datasets.of_user(user) == [going, kept]
    later = NOW + timedelta(milliseconds=1)
    assert [each for each in datasets.deleted_before(later) if each.user_id == user] == [going]
    assert [each for each in datasets.deleted_before(NOW) if each.user_id == user] == []
