"""The Notifications table: PartitionKey userId, RowKey the notification's id, so that the newest comes first.

Beside each notification stands a row for its occasion, put in with it in one transaction, so that two who
tell of one occasion leave one notification. Where the occasion must not come again, that row outlives the
notification: whoever tells of it late, after the user has deleted it, leaves nothing.
"""

from hashlib import sha256

from azure.data.tables import TableEntity, TableServiceClient

from backend.adapters.table_rows import TableRows, properties_of, record_from
from backend.domain.errors import Conflict
from backend.domain.notifications import Notification

TABLE_NAME = "Notifications"

_KEYS = ("user_id", "notification_id")
# Behind every notification, whose ids are hex digits.
_OCCASIONS = "occasion "


class NotificationTable:
    """Implements `NotificationStore`."""

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = TableRows(service, TABLE_NAME)

    def add(self, notification: Notification) -> str:
        """See the port."""
        occasion = _row_of(notification.occasion)
        rows = {
            notification.notification_id: properties_of(notification, leave_out=_KEYS),
            occasion: {"notificationId": notification.notification_id},
        }
        try:
            self._rows.insert_together(notification.user_id, rows)
        except Conflict:
            standing = self._rows.get(notification.user_id, occasion)
            if standing is None:
                raise
            return str(standing["notificationId"])
        return notification.notification_id

    def newest(self, user_id: str, limit: int) -> list[Notification]:
        """See the port."""
        condition = "PartitionKey eq @user and RowKey lt @occasions"
        rows = self._rows.query(condition, {"user": user_id, "occasions": _OCCASIONS}, limit)
        return [_notification(row) for row in rows]

    def delete(self, user_id: str, notification_id: str) -> bool:
        """See the port."""
        row = self._rows.get(user_id, notification_id)
        if row is None:
            return False
        row_keys = [notification_id]
        if (notification := _notification(row)).comes_again:
            row_keys.append(_row_of(notification.occasion))
        self._rows.delete_together(user_id, row_keys)
        return True


def _row_of(occasion: str) -> str:
    return _OCCASIONS + sha256(occasion.encode()).hexdigest()


def _notification(row: TableEntity) -> Notification:
    return record_from(row, Notification, user_id=row["PartitionKey"], notification_id=row["RowKey"])
