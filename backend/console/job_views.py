"""Jobs: the history with its filters, and one job, live."""

from flask import (
    Blueprint,
    Response,
    copy_current_request_context,
    make_response,
    render_template,
    request,
    url_for,
)

from backend.bootstrap import utc_now
from backend.console.job_view import job_view
from backend.console.session import redirect_to, require_session
from backend.domain.errors import InvalidRequest
from backend.domain.jobs import JobStatus
from backend.routes.authentication import current_user_id
from backend.routes.event_streams import PATIENCE_SECONDS, Event, event_stream
from backend.routes.request_services import services
from backend.services.reporting import JobReport

_PAGE = 25

jobs = Blueprint("jobs", __name__, url_prefix="/console")
jobs.before_request(require_session)


@jobs.get("/jobs")
def history() -> Response:
    """The user's jobs, newest first, a page at a time; htmx asks for the rows alone."""
    status = _status(request.args.get("status", ""))
    page = services().reporting.page(current_user_id(), status, _PAGE, request.args.get("cursor") or None)
    now = utc_now()
    template = "console/_job_rows.html" if "HX-Request" in request.headers else "console/jobs.html"
    return make_response(
        render_template(
            template,
            jobs=[job_view(job, now) for job in page.jobs],
            next_cursor=page.next_cursor,
            status=status,
            statuses=list(JobStatus),
        )
    )


@jobs.get("/jobs/<job_id>")
def show(job_id: str) -> Response:
    """One job. As long as it has not ended, the page follows it."""
    report = services().reporting.report(current_user_id(), job_id)
    view = job_view(report.job, utc_now())
    return make_response(
        render_template("console/job.html", view=view, job=report.job, outputs=report.outputs)
    )


@jobs.get("/jobs/<job_id>/events")
def events(job_id: str) -> Response:
    """How far a job is, each time that it has changed; when it has ended, the page shows itself anew."""
    user_id = current_user_id()
    # The stream goes on when the request is over, whose addresses the template still needs.
    told = copy_current_request_context(_told)
    return event_stream(user_id, services().job_watching.watch(user_id, job_id, PATIENCE_SECONDS), told)


@jobs.post("/jobs/<job_id>/retry")
def retry(job_id: str) -> Response:
    """Put a failed job back on its way."""
    job = services().reporting.job(current_user_id(), job_id)
    services().submission.retry(current_user_id(), job.job_id)
    return redirect_to(url_for("console.jobs.show", job_id=job.job_id))


def _told(report: JobReport) -> Event:
    job = report.job
    if job.status.is_final:
        return Event(job.status.value, "ended", is_last=True)
    return Event(render_template("console/_job.html", view=job_view(job, utc_now())))


def _status(text: str) -> JobStatus | None:
    if not text:
        return None
    try:
        return JobStatus(text)
    except ValueError as error:
        raise InvalidRequest(f"there is no status {text[:20]!r}") from error
