"""Datasets as the existing frontend asks for them: lists, raw entities, metadata, and deletion."""

import json
from typing import Annotated, Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from backend.domain.datasets import DatasetStatus
from backend.ports import FrontendTable
from backend.routes.authentication import BEARER, current_user_id, require_access_token
from backend.routes.errors import ERRORS, ErrorAnswer
from backend.routes.json_bodies import Answer, Body, respond
from backend.routes.request_services import services

datasets = APIBlueprint(
    "datasets",
    __name__,
    abp_tags=[Tag(name="Existing frontend")],
    abp_security=BEARER,
    abp_responses={**ERRORS, 401: ErrorAnswer},
)
datasets.before_request(require_access_token)

# Said to who reads the document, and not checked: what has another form is not found, as an id of nobody's.
DatasetId = Annotated[str, Field(json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$"})]


class DatasetPath(Body):
    """A dataset."""

    parent_job_id: DatasetId


class RawTablePath(Body):
    """A kind of entity of a dataset."""

    parent_job_id: DatasetId
    table: FrontendTable


class DatasetsAnswer(Answer):
    """Every dataset, sorted by id."""

    parent_job_ids: list[str]


class RawEntitiesAnswer(Answer):
    """Raw entities of one kind, under its name."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, list[dict[str, Any]]] = Field(init=False)


class DatasetMetadataFields(BaseModel):
    """What is known of a dataset."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    data_count: int = Field(
        description="Its records; while it is generated, the number asked for. An estimate, for a dataset"
        " beyond the small path that was put into Bronze by hand."
    )
    total_chunks: int = Field(description="Its parts, also those that are still to be generated.")
    status: DatasetStatus


class DatasetMetadataAnswer(Answer):
    """One dataset."""

    data: DatasetMetadataFields


class DeletionAnswer(Answer):
    """What was deleted."""

    deleted_count: int = Field(
        ge=0,
        description="Files that were deleted: the parts of the raw data, and every file of Silver, quarantine"
        " and Gold with its manifest. Rows of tables and databases, and logs, go too and are not counted.",
    )


@datasets.get("/list_parent_jobs", responses={200: DatasetsAnswer})
def list_parent_jobs() -> Response:
    """The ids of your datasets: uploaded, generated, being generated, or put into Bronze by hand."""
    return respond(DatasetsAnswer(parent_job_ids=services().dataset_catalogue.ids(current_user_id())))


@datasets.get("/get_raw_data/<parentJobId>/<table>", responses={200: RawEntitiesAnswer, 404: ErrorAnswer})
def get_raw_data(path: RawTablePath) -> Response:
    """The first 10 different entities of a kind, as they came; members named like a password are left out.

    The first 1,000 records are looked at. 404 when none of them has such an entity, or no part is there yet.
    """
    entities = services().raw_data.entities(current_user_id(), path.parent_job_id, path.table)
    # Python's own writer, which takes integers of any size and as much nesting as Bronze may have.
    answer = json.dumps({"success": True, path.table.value: entities}, ensure_ascii=False, allow_nan=False)
    return Response(answer, mimetype="application/json")


@datasets.get("/read_data_metadata/<parentJobId>", responses={200: DatasetMetadataAnswer, 404: ErrorAnswer})
def read_data_metadata(path: DatasetPath) -> Response:
    """How many records a dataset has, in how many parts, and whether it can be cleaned."""
    metadata = services().dataset_catalogue.metadata(current_user_id(), path.parent_job_id)
    return respond(
        DatasetMetadataAnswer(
            data=DatasetMetadataFields(
                data_count=metadata.record_count,
                total_chunks=metadata.total_chunks,
                status=metadata.status,
            )
        )
    )


@datasets.delete(
    "/delete_folder/<parentJobId>",
    responses={200: DeletionAnswer, 404: ErrorAnswer, 409: ErrorAnswer},
)
def delete_folder(path: DatasetPath) -> Response:
    """Delete a dataset with everything that was made of it: raw data, outputs, jobs, and rows in databases.

    409 while a job on it has not ended; nothing is deleted then. When the call is broken off, nobody sees the
    dataset any more, and the same call deletes the rest. Notifications of its jobs stay.
    """
    deleted = services().dataset_deletion.delete(current_user_id(), path.parent_job_id)
    return respond(DeletionAnswer(deleted_count=deleted))
