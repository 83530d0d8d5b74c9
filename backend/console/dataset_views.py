"""Sending data: a file becomes a dataset, the page says which path it will take, and then it is cleaned."""

from flask import Blueprint, Response, make_response, render_template, request, url_for

from backend.console.session import redirect_to, require_session
from backend.domain.errors import InvalidRequest
from backend.routes.authentication import current_user_id
from backend.routes.data import MULTIPART_OVERHEAD_BYTES
from backend.routes.request_services import services
from backend.services.submission import CleaningRequest

UPLOAD_PATH = "/console/datasets"
"""Where the page sends files to, with a session's cookie."""

_LONGEST_NAME = 200

datasets = Blueprint("datasets", __name__, url_prefix="/console")


@datasets.before_request
def take_large_files_in() -> None:
    """Let a file be as large as the API lets it be, before anything of the form is read."""
    if request.path == UPLOAD_PATH:
        request.max_content_length = services().settings.max_upload_bytes + MULTIPART_OVERHEAD_BYTES


datasets.before_request(require_session)


@datasets.get("/route")
def show_route() -> Response:
    """Which path so many sample records would take, and why."""
    count = _count(request.args.get("records", ""))
    router = services().router
    decision = router.route_data_request(current_user_id(), count, "")
    return make_response(render_template("console/_route.html", decision=decision, router=router))


@datasets.post("/datasets")
def upload() -> Response:
    """Make a dataset of a file; it is not cleaned yet."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InvalidRequest("choose a file first")
    dataset = services().ingestion.ingest(
        current_user_id(), file.stream, content_type=file.mimetype or None, filename=file.filename
    )
    router = services().router
    return make_response(
        render_template(
            "console/_dataset.html",
            dataset=dataset,
            filename=file.filename,
            decision=router.route_data_request(current_user_id(), dataset.record_count, ""),
            router=router,
        )
    )


@datasets.post("/datasets/<dataset_id>/delete")
def delete(dataset_id: str) -> Response:
    """Delete a dataset with everything that was made of it."""
    services().dataset_deletion.delete(current_user_id(), dataset_id)
    return redirect_to(url_for("console.jobs.history"))


@datasets.post("/jobs")
def submit() -> Response:
    """Clean a dataset, or so many sample records, and show the job."""
    form = request.form
    name = form.get("name", "").strip()
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"a name has to be at most {_LONGEST_NAME} characters that can be printed")
    dataset = form.get("dataset") or None
    wanted = CleaningRequest(
        data_count=None if dataset else _count(form.get("records", "")),
        parent_job_id=dataset,
        job_name=name or None,
    )
    accepted = services().submission.submit(current_user_id(), wanted)
    return redirect_to(url_for("console.jobs.show", job_id=accepted.job.job_id))


def _count(text: str) -> int:
    greatest = services().settings.max_record_count
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()) or not 1 <= int(digits[:20]) <= greatest:
        raise InvalidRequest(f"the number of records has to be from 1 to {greatest}")
    return int(digits)
