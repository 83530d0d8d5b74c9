"""Records that could not be placed: why, and mending one so that it is cleaned after all."""

import io

import msgspec
from flask import Blueprint, Response, make_response, render_template, request, url_for

from backend.console.session import redirect_to, require_session
from backend.domain.errors import InvalidRequest
from backend.lake_paths import QUARANTINE
from backend.routes.authentication import current_user_id
from backend.routes.request_services import services
from backend.services.submission import CleaningRequest

_SHOWN = 100

quarantine = Blueprint("quarantine", __name__, url_prefix="/console/jobs/<job_id>/quarantine")
quarantine.before_request(require_session)


@quarantine.get("")
def show(job_id: str) -> Response:
    """The first quarantined records with their reasons."""
    user_id, own = current_user_id(), services()
    output = own.reporting.output(user_id, job_id, QUARANTINE)
    preview = own.tables.preview(output, _SHOWN)
    return make_response(
        render_template(
            "console/quarantine.html",
            job=own.reporting.job(user_id, job_id),
            records=[{**row, "raw": _indented(row["raw"])} for row in preview.rows],
            row_count=preview.row_count,
        )
    )


@quarantine.post("")
def send_again(job_id: str) -> Response:
    """Make a dataset of a mended record, and clean it."""
    user_id, own = current_user_id(), services()
    job = own.reporting.job(user_id, job_id)
    text = request.form.get("record", "")
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise InvalidRequest("a record has to be a JSON object, in { and }") from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"the record is not valid JSON: {error}") from error
    body = io.BytesIO(f"[{text}]".encode())
    dataset = own.ingestion.ingest(user_id, body, content_type="application/json")
    wanted = CleaningRequest(None, dataset.parent_job_id, f"A mended record of {job.job_name}"[:200])
    accepted = own.submission.submit(user_id, wanted)
    return redirect_to(url_for("console.jobs.show", job_id=accepted.job.job_id))


def _indented(raw: str) -> str:
    """For reading; numbers and texts stay spelled as they are."""
    return msgspec.json.format(raw, indent=2)
