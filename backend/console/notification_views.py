"""What the user was told: above all that a job has ended."""

from flask import Blueprint, Response, make_response, render_template, url_for

from backend.console.session import redirect_to, require_session
from backend.routes.authentication import current_user_id
from backend.routes.request_services import services

notifications = Blueprint("notifications", __name__, url_prefix="/console/notifications")
notifications.before_request(require_session)


@notifications.get("")
def show() -> Response:
    """The newest notifications that were not dismissed."""
    unread = services().notifications.unread(current_user_id())
    return make_response(render_template("console/notifications.html", notifications=unread))


@notifications.get("/count")
def count() -> Response:
    """How many there are, for the top of every page."""
    unread = services().notifications.unread(current_user_id())
    return make_response(f"({len(unread)})" if unread else "")


@notifications.post("/<notification_id>/dismiss")
def dismiss(notification_id: str) -> Response:
    """Show one no more."""
    services().notifications.delete(current_user_id(), notification_id)
    return redirect_to(url_for("console.notifications.show"))
