"""Logging in to the page, and making an account for it: the calls of it that take a password."""

from flask import Blueprint, Response, request

from backend.console.session import begin_session, next_page, redirect_to, refuse_other_sites
from backend.routes.credential_limits import count_refusal, limit_attempts
from backend.routes.request_services import services

accounts = Blueprint("accounts", __name__, url_prefix="/console")
accounts.before_request(refuse_other_sites)
accounts.before_request(limit_attempts)
accounts.after_request(count_refusal)


@accounts.post("/login")
def log_in() -> Response:
    """Begin a session."""
    return _session_of(request.form.get("username", ""), request.form.get("password", ""))


@accounts.post("/register")
def register() -> Response:
    """Make an account, and begin its first session."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    services().accounts.register(username, password)
    return _session_of(username, password)


def _session_of(username: str, password: str) -> Response:
    user_id = services().accounts.log_in(username, password)
    return begin_session(redirect_to(next_page()), user_id, username)
