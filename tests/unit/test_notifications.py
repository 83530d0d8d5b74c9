from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backend.domain.errors import NotFound
from backend.domain.jobs import Counts, Job, JobKind, JobStatus
from backend.domain.notifications import Notification
from backend.services.notifications import NotificationService
from tests.fakes import InMemoryNotifications, SetClock

USER = "a" * 32
OTHER = "b" * 32
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
JOB = Job(
    user_id=USER,
    job_id="c" * 32,
    parent_job_id="orders",
    job_name="Autumn",
    kind=JobKind.CLEAN,
    status=JobStatus.QUEUED,
    stage="waiting for a worker",
    record_count=5000,
    as_of=NOW,
    submitted_at=NOW,
)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def notifications(clock: SetClock) -> NotificationService:
    return NotificationService(InMemoryNotifications(), clock)


def test_a_saved_message_is_shown_to_its_user_alone(notifications: NotificationService) -> None:
    saved = notifications.save(USER, "Your export is ready", "success")

    [shown] = notifications.unread(USER)
    assert (shown.notification_id, saved.is_new) == (saved.notification_id, True)
    assert (shown.message, shown.status, shown.created_at) == ("Your export is ready", "success", NOW)
    assert notifications.unread(OTHER) == []


def test_the_same_message_twice_is_one_and_the_first_one_stands(
    notifications: NotificationService, clock: SetClock
) -> None:
    first = notifications.save(USER, "hello", "info")
    clock.advance(timedelta(minutes=1))
    second = notifications.save(USER, "hello", "error")

    assert (second.notification_id, second.is_new) == (first.notification_id, False)
    assert [(each.status, each.created_at) for each in notifications.unread(USER)] == [("info", NOW)]
    assert notifications.save(OTHER, "hello", "info").is_new


def test_a_message_that_was_deleted_may_come_again(
    notifications: NotificationService, clock: SetClock
) -> None:
    first = notifications.save(USER, "hello", "info")
    notifications.delete(USER, first.notification_id)
    assert notifications.unread(USER) == []
    clock.advance(timedelta(seconds=1))
    assert notifications.save(USER, "hello", "info").is_new


def test_the_newest_hundred_are_shown_newest_first(
    notifications: NotificationService, clock: SetClock
) -> None:
    for number in range(101):
        clock.advance(timedelta(milliseconds=1))
        notifications.save(USER, f"message {number}", "info")

    shown = [each.message for each in notifications.unread(USER)]
    assert (len(shown), shown[0], shown[-1]) == (100, "message 100", "message 1")


@pytest.mark.parametrize("notification_id", ["d" * 32, "", "../x", "occasion " + "0" * 64])
def test_what_is_not_there_is_not_deleted(notifications: NotificationService, notification_id: str) -> None:
    with pytest.raises(NotFound):
        notifications.delete(USER, notification_id)


def test_another_users_notification_is_not_there(notifications: NotificationService) -> None:
    saved = notifications.save(USER, "hello", "info")
    with pytest.raises(NotFound):
        notifications.delete(OTHER, saved.notification_id)
    assert len(notifications.unread(USER)) == 1


def test_an_end_says_what_came_of_the_job() -> None:
    counts = Counts(5000, 4890, 80, 30)
    completed = replace(JOB, status=JobStatus.COMPLETED, finished_at=NOW, counts=counts)
    made = replace(completed, kind=JobKind.GENERATE, counts=None)
    failed = JOB.failed(NOW, "part.json: expecting a value at byte 5")

    assert [Notification.of_ending(job).message for job in (completed, made, failed)] == [
        "Autumn: completed, 5,000 records in = 4,890 in Silver + 80 duplicates + 30 quarantined",
        "Autumn: completed, 5,000 records",
        "Autumn: failed: part.json: expecting a value at byte 5",
    ]
    assert Notification.of_ending(failed).status == "failed"


def test_each_end_of_a_job_is_an_occasion_of_its_own() -> None:
    first = JOB.failed(NOW, "oops")
    second = JOB.failed(NOW + timedelta(microseconds=1), "oops")
    assert Notification.of_ending(first) == Notification.of_ending(first)
    assert Notification.of_ending(first).occasion != Notification.of_ending(second).occasion
    assert Notification.of_ending(first).notification_id != Notification.of_ending(second).notification_id
