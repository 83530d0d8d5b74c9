"""`/notifications`: what a user was told and has not deleted yet. The existing frontend calls these."""

from datetime import UTC, datetime
from typing import Annotated

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field, StrictStr

from backend.domain.notifications import LONGEST_MESSAGE, Notification
from backend.routes.authentication import BEARER, current_user_id, require_access_token
from backend.routes.errors import ERRORS, ErrorAnswer
from backend.routes.json_bodies import Answer, Body, respond
from backend.routes.request_services import services

_LONGEST_STATUS = 50
# Lines and tabs, and no other control characters.
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

notifications = APIBlueprint(
    "notifications",
    __name__,
    abp_tags=[Tag(name="Existing frontend")],
    abp_security=BEARER,
    abp_responses={**ERRORS, 401: ErrorAnswer},
)
notifications.before_request(require_access_token)


class NotificationPath(Body):
    """A notification."""

    # Said to who reads the document, and not checked: what has another form is not found.
    notification_id: Annotated[str, Field(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]


class Message(Body):
    """A message to keep for the user."""

    message: StrictStr = Field(min_length=1, max_length=LONGEST_MESSAGE, pattern=_TEXT)
    status: StrictStr = Field(
        min_length=1, max_length=_LONGEST_STATUS, pattern=_TEXT, description="What kind of message it is."
    )


class NotificationFields(BaseModel):
    """A notification."""

    id: str
    message: str
    status: str = Field(description="As it was saved; of a job's end, completed or failed.")
    timestamp: datetime

    @classmethod
    def of(cls, notification: Notification) -> "NotificationFields":
        """What a caller sees of a notification."""
        return cls(
            id=notification.notification_id,
            message=notification.message,
            status=notification.status,
            timestamp=notification.created_at.astimezone(UTC),
        )


class NotificationsAnswer(Answer):
    """Newest first; `count` is how many there are here."""

    notifications: list[NotificationFields]
    count: int


class SavedAnswer(Answer):
    """The notification that stands."""

    notification_id: str = Field(alias="notification_id")
    is_new: bool = Field(alias="is_new", description="Whether this call made it.")


@notifications.get("/notifications/unread", responses={200: NotificationsAnswer})
def list_unread_notifications() -> Response:
    """Your notifications, newest first: those that you have saved, and one for each job that has ended.

    At most 100; older ones show when these are deleted.
    """
    unread = services().notifications.unread(current_user_id())
    return respond(
        NotificationsAnswer(notifications=[NotificationFields.of(each) for each in unread], count=len(unread))
    )


@notifications.post("/notifications/save", responses={200: SavedAnswer})
def save_notification(body: Message) -> Response:
    """Keep a message. The same message is not kept twice: until it is deleted, the first one stands."""
    saved = services().notifications.save(current_user_id(), body.message, body.status)
    return respond(SavedAnswer(notification_id=saved.notification_id, is_new=saved.is_new))


@notifications.delete("/notifications/<notificationId>", responses={200: Answer, 404: ErrorAnswer})
def delete_notification(path: NotificationPath) -> Response:
    """Show a notification no more."""
    services().notifications.delete(current_user_id(), path.notification_id)
    return respond(Answer())
