"""Data in and cleaning: `/upload_raw`, `/generate_raw`, `/clean_data`, `/routing_config`."""

from dataclasses import asdict
from typing import Annotated, Any

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from backend.data_routing import PathConfig
from backend.domain.datasets import Dataset
from backend.domain.errors import InvalidRequest
from backend.domain.jobs import ProcessingPath
from backend.routes.authentication import BEARER, current_user_id, require_access_token
from backend.routes.errors import ERRORS, ErrorAnswer
from backend.routes.json_bodies import Answer, Body, respond
from backend.routes.request_services import services
from backend.services.generation import DEFAULT_ERROR_RATE
from backend.services.submission import CleaningRequest
from backend.telemetry.log_lines import add_ids

UPLOAD_PATH = "/upload_raw"
"""Where a body may be larger than any JSON that the API takes."""

MULTIPART_OVERHEAD_BYTES = 64 << 10
"""What a multipart body may have around its file."""

_GREATEST_SEED = (1 << 63) - 1

data = APIBlueprint(
    "data",
    __name__,
    abp_tags=[Tag(name="Data")],
    abp_security=BEARER,
    abp_responses={**ERRORS, 401: ErrorAnswer},
)
data.before_request(require_access_token)


DataCount = Annotated[StrictInt, Field(ge=1, description="How many records; the greatest is a setting.")]


class UploadAnswer(Answer):
    """The dataset that an upload became."""

    parent_job_id: str
    record_count: int
    parts: int


class Generation(Body):
    """Sample data."""

    data_count: DataCount
    error_rate: float = Field(
        default=DEFAULT_ERROR_RATE,
        ge=0,
        le=1,
        strict=True,
        allow_inf_nan=False,
        description="The share of records with something wrong.",
    )
    seed: StrictInt | None = Field(
        default=None, ge=0, le=_GREATEST_SEED, description="The same seed gives the same data."
    )


class GenerationAnswer(Answer):
    """The dataset that is being made: `jobId` tells how far it is, `jobIds` are its parts."""

    parent_job_id: str
    job_id: str
    job_ids: list[str]
    status: str
    total_count: int = Field(alias="total_count")
    total_chunks: int = Field(alias="total_chunks")
    batch_size: int = Field(alias="batch_size")


class Cleaning(Body):
    """What to clean; at least one of dataCount and parentJobId."""

    data_count: DataCount | None = Field(
        default=None, description="Without parentJobId: so many sample records are made, then cleaned."
    )
    parent_job_id: StrictStr | None = Field(
        default=None, description="The dataset to clean. Its own record count decides the path."
    )
    job_name: StrictStr | None = Field(
        default=None, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="What you call the job."
    )


class IdempotencyHeader(BaseModel):
    """Makes a call safe to repeat: the same key and body give the same job."""

    model_config = ConfigDict(populate_by_name=True)

    idempotency_key: str | None = Field(
        default=None, alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$"
    )


class CleaningAnswer(Answer):
    """The job that was taken in."""

    job_id: str
    parent_job_id: str
    job_name: str
    processing_path: ProcessingPath
    queue_name: str
    record_count: int = Field(
        description="An estimate, for a dataset beyond the small path that was put into Bronze by hand."
    )
    expected_processing_time: str
    status_url: str
    message: str


class PathTypePath(Body):
    """The name of a path."""

    path_type: str = Field(json_schema_extra={"enum": [path.value for path in ProcessingPath]})


class PathConfigAnswer(BaseModel):
    """The configuration of a path."""

    queue_name: str
    record_limit: int | None
    processor: str
    adf_trigger_type: str
    adf_trigger_frequency: str
    adf_trigger_interval: int
    expected_time: str
    expected_throughput: str
    max_concurrent_jobs: int
    cost_level: str

    @classmethod
    def of(cls, config: PathConfig) -> "PathConfigAnswer":
        """What a caller sees of a configuration."""
        return cls(**asdict(config))


class RoutingConfigAnswer(Answer):
    """One path."""

    path_type: ProcessingPath
    config: PathConfigAnswer


class AllRoutingConfigAnswer(Answer):
    """Both paths; up to `threshold` records take the small one."""

    threshold: int
    paths: dict[ProcessingPath, PathConfigAnswer]


_UPLOAD_TYPES = (
    "application/json",
    "application/x-ndjson",
    "text/csv",
    "application/vnd.apache.parquet",
    "application/gzip",
    "application/octet-stream",
)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            **dict.fromkeys(_UPLOAD_TYPES, _BINARY),
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@data.post(UPLOAD_PATH, responses={201: UploadAnswer}, openapi_extensions=_UPLOAD_BODY)
def upload_raw() -> Response:
    """Make a dataset of your own records.

    A JSON array, JSON Lines, CSV (dotted headers such as user.email name nested fields) or Parquet,
    plain or gzip, as the body or as the multipart file `file`.
    """
    request.max_content_length = services().settings.max_upload_bytes + MULTIPART_OVERHEAD_BYTES
    dataset = _ingest_file() if request.mimetype == "multipart/form-data" else _ingest_body()
    return respond(
        UploadAnswer(
            parent_job_id=dataset.parent_job_id,
            record_count=dataset.record_count,
            parts=dataset.total_chunks,
        ),
        201,
    )


def _ingest_body() -> Dataset:
    return services().ingestion.ingest(
        current_user_id(), request.stream, content_type=request.mimetype or None
    )


def _ingest_file() -> Dataset:
    # Werkzeug writes a large file to disk as it comes in.
    file = request.files.get("file")
    if file is None:
        raise InvalidRequest("send the records as the multipart file named file")
    return services().ingestion.ingest(
        current_user_id(), file.stream, content_type=file.mimetype or None, filename=file.filename
    )


@data.post("/generate_raw", responses={202: GenerationAnswer})
def generate_raw(body: Generation) -> Response:
    """Make a dataset of realistic sample records, with a share of broken ones."""
    greatest = services().settings.max_record_count
    if body.data_count > greatest:
        raise InvalidRequest(f"dataCount has to be at most {greatest}")
    plan = services().generation.request(current_user_id(), body.data_count, body.error_rate, body.seed)
    add_ids(job_id=plan.job_id)
    return respond(
        GenerationAnswer(
            parent_job_id=plan.parent_job_id,
            job_id=plan.job_id,
            job_ids=list(plan.part_ids),
            status=plan.status.value,
            total_count=plan.total_count,
            total_chunks=plan.total_chunks,
            batch_size=plan.batch_size,
        ),
        202,
    )


@data.post("/clean_data", responses={202: CleaningAnswer, 404: ErrorAnswer, 409: ErrorAnswer})
def clean_data(header: IdempotencyHeader, body: Cleaning) -> Response:
    """Clean a dataset; without one, make sample records first.

    The number of records decides the path: the small one up to a threshold, else the large one. A
    dataset that is still being generated is cleaned when it is complete.
    """
    accepted = services().submission.submit(
        current_user_id(),
        CleaningRequest(body.data_count, body.parent_job_id, body.job_name or None),
        header.idempotency_key,
    )
    job, decision = accepted.job, accepted.decision
    add_ids(job_id=job.job_id)
    status_url = f"/jobs/{job.job_id}"
    return respond(
        CleaningAnswer(
            job_id=job.job_id,
            parent_job_id=job.parent_job_id,
            job_name=job.job_name,
            processing_path=decision.processing_path,
            queue_name=decision.queue_name,
            record_count=job.record_count,
            expected_processing_time=decision.expected_processing_time,
            status_url=status_url,
            message=f"Accepted. GET {status_url} tells how far the job is.",
        ),
        202,
    )


@data.get("/routing_config", responses={200: AllRoutingConfigAnswer})
def all_routing_config() -> Response:
    """What each path is, and the number of records that parts them."""
    router = services().router
    paths = {path: PathConfigAnswer.of(config) for path, config in router.configs.items()}
    return respond(AllRoutingConfigAnswer(threshold=router.small_batch_record_limit, paths=paths))


@data.get("/routing_config/<pathType>", responses={200: RoutingConfigAnswer})
def routing_config(path: PathTypePath) -> Response:
    """What a path is: small_batch or large_batch."""
    names = [name.value for name in ProcessingPath]
    if path.path_type not in names:
        raise InvalidRequest(f"the path has to be {' or '.join(names)}", "invalid_path_type")
    name = ProcessingPath(path.path_type)
    return respond(
        RoutingConfigAnswer(path_type=name, config=PathConfigAnswer.of(services().router.config(name)))
    )
