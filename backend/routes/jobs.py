"""`/jobs`: how far they are, how good their data was, and what they wrote."""

from enum import StrEnum
from itertools import chain
from typing import Annotated, Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import ConfigDict, Field

from backend.domain.jobs import JobStatus
from backend.routes.authentication import BEARER, current_user_id, require_access_token
from backend.routes.errors import ERRORS, ErrorAnswer
from backend.routes.event_streams import PATIENCE_SECONDS, Event, event_stream
from backend.routes.job_answers import (
    ColumnAnswer,
    JobAnswer,
    JobFields,
    JobsAnswer,
    QualityAnswer,
    TableAnswer,
    job_fields,
)
from backend.routes.json_bodies import Body, respond
from backend.routes.request_services import services
from backend.services.reporting import JobReport
from backend.transformations.gold_columns import GOLD_COLUMNS

GREATEST_PAGE = 100
GREATEST_PREVIEW = 1_000

jobs = APIBlueprint(
    "jobs",
    __name__,
    abp_tags=[Tag(name="Jobs")],
    abp_security=BEARER,
    abp_responses={**ERRORS, 401: ErrorAnswer, 404: ErrorAnswer},
)
jobs.before_request(require_access_token)


class TableFormat(StrEnum):
    """How a table is answered."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


_MEDIA_TYPES = {TableFormat.CSV: "text/csv", TableFormat.PARQUET: "application/vnd.apache.parquet"}
_DOWNLOADS: dict[str, Any] = {
    media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in _MEDIA_TYPES.values()
}


# OpenAPI 3.1 has no words for what is inside a stream.
_EVENTS: dict[str, Any] = {
    "description": "Events, the data of each of which is what /jobs/{jobId} answers.",
    "content": {"text/event-stream": {}},
}
_NOTHING_MORE: dict[str, Any] = {"description": "The client has seen the job's end."}

# Said to who reads the document, and not checked: what has another form is not found, as an id of nobody's.
JobId = Annotated[str, Field(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]
TableName = Annotated[
    str, Field(json_schema_extra={"enum": ["silver", "quarantine", *(table.name for table in GOLD_COLUMNS)]})
]


class JobPath(Body):
    """A job."""

    job_id: JobId


class TablePath(Body):
    """A table of a job: silver, quarantine or a Gold table."""

    job_id: JobId
    table: TableName


class JobsQuery(Body):
    """Which jobs, and how many at once."""

    status: JobStatus | None = None
    limit: int = Field(default=20, ge=1, le=GREATEST_PAGE)
    cursor: str | None = Field(default=None, description="The nextCursor of the page before.")


class TableQuery(Body):
    """How much of a table, and how."""

    limit: int = Field(default=100, ge=1, le=GREATEST_PREVIEW, description="Rows; downloads are whole.")
    format: TableFormat = TableFormat.JSON


class DownloadableTableAnswer(TableAnswer):
    """The first rows of a table as JSON, or the whole table as a download."""

    # The key is flask-openapi3's own.
    model_config = ConfigDict(openapi_extra={"content": _DOWNLOADS})  # type: ignore[typeddict-unknown-key]


@jobs.get("/jobs", responses={200: JobsAnswer})
def list_jobs(query: JobsQuery) -> Response:
    """Your jobs, newest first."""
    page = services().reporting.page(current_user_id(), query.status, query.limit, query.cursor)
    listed = [JobFields(**job_fields(job)) for job in page.jobs]
    return respond(JobsAnswer(jobs=listed, next_cursor=page.next_cursor))


@jobs.get("/jobs/<jobId>", responses={200: JobAnswer})
def get_job(path: JobPath) -> Response:
    """How far a job is, and what it wrote."""
    return respond(JobAnswer.of(services().reporting.report(current_user_id(), path.job_id)))


@jobs.get("/jobs/<jobId>/events", responses={200: _EVENTS, 204: _NOTHING_MORE})
def get_events(path: JobPath) -> Response:
    """The job as server-sent events: as it is, and each time that it has changed, until it has ended.

    The data of each event is what `/jobs/{jobId}` answers. A client that comes again says in `Last-Event-ID`
    what it has seen; when that was the job's end the answer is 204, and a browser comes no more.
    Changes that follow each other within less than a second may come as one. A stream ends with its token, or
    after EVENT_STREAM_SECONDS. 429 and 503 say that as many are open as the user may have, or all together:
    ask for `/jobs/{jobId}` meanwhile.
    """
    user_id = current_user_id()
    return event_stream(
        user_id, services().job_watching.watch(user_id, path.job_id, PATIENCE_SECONDS), _event
    )


@jobs.get("/jobs/<jobId>/quality", responses={200: QualityAnswer, 409: ErrorAnswer})
def get_quality(path: JobPath) -> Response:
    """Issues by code, quarantined records by reason, scores, and completeness before and after."""
    metrics = services().reporting.quality(current_user_id(), path.job_id)
    return respond(QualityAnswer.model_validate(metrics))


@jobs.get("/jobs/<jobId>/tables/<table>", responses={200: DownloadableTableAnswer, 409: ErrorAnswer})
def get_table(path: TablePath, query: TableQuery) -> Response:
    """The first rows of a table as JSON, or all of it as CSV or Parquet.

    In CSV, text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    if query.format is not TableFormat.JSON:
        return table_download(current_user_id(), path.job_id, path.table, query.format)
    output = services().reporting.output(current_user_id(), path.job_id, path.table)
    preview = services().tables.preview(output, query.limit)
    return respond(
        TableAnswer(
            job_id=path.job_id,
            table=path.table,
            row_count=preview.row_count,
            columns=[ColumnAnswer(name=name, type=type_) for name, type_ in preview.columns],
            rows=preview.rows,
        )
    )


@jobs.post("/jobs/<jobId>/retry", responses={202: JobAnswer, 409: ErrorAnswer})
def retry_job(path: JobPath) -> Response:
    """Put a failed job back on its queue."""
    user_id = current_user_id()
    job = services().reporting.job(user_id, path.job_id)
    services().submission.retry(user_id, job.job_id)
    return respond(JobAnswer.of(services().reporting.report(user_id, job.job_id)), 202)


def _event(report: JobReport) -> Event:
    text = JobAnswer.of(report).model_dump_json(by_alias=True)
    return Event(text, is_last=report.job.status.is_final)


def table_download(user_id: str, job_id: str, table: str, format_: TableFormat) -> Response:
    """A whole table as a file.

    Raises:
        NotFound: there is no such job, or no such table.
        Conflict: the job has not got as far.
    """
    tables, output = services().tables, services().reporting.output(user_id, job_id, table)
    content = tables.csv(output) if format_ is TableFormat.CSV else tables.parquet(output)
    # The first piece is read before the answer begins, while an error can still be told.
    first = next(content, b"")
    response = Response(chain([first], content), mimetype=_MEDIA_TYPES[format_])
    response.headers.set("Content-Disposition", "attachment", filename=f"{table}.{format_.value}")
    return response
