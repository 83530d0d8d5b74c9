"""A user's notifications: what they were told and have not deleted yet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from backend.domain.errors import NotFound
from backend.domain.identifiers import is_notification_id
from backend.domain.notifications import Notification
from backend.ports import NotificationStore

MOST_SHOWN = 100
"""So many at once; the next ones show when these are deleted."""


@dataclass(frozen=True, slots=True)
class SavedNotification:
    """What became of a message; `is_new` is False when the user has it already."""

    notification_id: str
    is_new: bool


class NotificationService:
    """Shows, keeps and deletes notifications. Jobs leave theirs by themselves when they end."""

    def __init__(self, notifications: NotificationStore, clock: Callable[[], datetime]) -> None:
        self._notifications = notifications
        self._clock = clock

    def unread(self, user_id: str) -> list[Notification]:
        """The newest notifications that the user has not deleted, newest first."""
        return self._notifications.newest(user_id, MOST_SHOWN)

    def save(self, user_id: str, message: str, status: str) -> SavedNotification:
        """Keep a message for the user; one that they have already stays as it is."""
        notification = Notification.saved(user_id, message, status, self._clock())
        standing = self._notifications.add(notification)
        return SavedNotification(standing, is_new=standing == notification.notification_id)

    def delete(self, user_id: str, notification_id: str) -> None:
        """Show a notification no more. Raises NotFound."""
        found = is_notification_id(notification_id) and self._notifications.delete(user_id, notification_id)
        if not found:
            raise NotFound("there is no such notification")
