"""The first view: who is not logged in can do so; who is can send data, and log out."""

from flask import Blueprint, Response, make_response, render_template, request, url_for

from backend.bootstrap import utc_now
from backend.console.job_view import job_view
from backend.console.session import end_session, has_session, redirect_to, require_session
from backend.routes.authentication import current_user_id
from backend.routes.request_services import services
from backend.services.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, USERNAME_FORM

_LATEST_JOBS = 5
_SAMPLE = 1_000

home = Blueprint("home", __name__)


@home.get("/")
def show() -> Response:
    """The welcome, or the user's own start."""
    return make_response(_start() if has_session() else _welcome())


@home.post("/console/logout")
def log_out() -> Response:
    """End the session of this browser."""
    return require_session() or end_session(redirect_to(url_for("console.home.show")))


def _welcome() -> str:
    return render_template(
        "console/welcome.html",
        next=request.args.get("next", ""),
        username_form=USERNAME_FORM,
        shortest_password=SHORTEST_PASSWORD,
        longest_password=LONGEST_PASSWORD,
    )


def _start() -> str:
    own, now = services(), utc_now()
    latest = own.reporting.page(current_user_id(), None, _LATEST_JOBS, None)
    return render_template(
        "console/start.html",
        jobs=[job_view(job, now) for job in latest.jobs],
        router=own.router,
        decision=own.router.route_data_request(current_user_id(), _SAMPLE, ""),
        sample=_SAMPLE,
        greatest_sample=own.settings.max_record_count,
    )
