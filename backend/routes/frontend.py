"""Calls of the React client that there was before this service: `/write_to_db` and `/get_<table>`."""

from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import ConfigDict, Field, StrictInt

from backend.ports import FrontendTable
from backend.routes.authentication import BEARER, current_user_id, require_access_token
from backend.routes.errors import ERRORS, ErrorAnswer
from backend.routes.json_bodies import Answer, Body, respond
from backend.routes.request_services import services
from backend.services.synchronous_writing import WrittenRecords

GREATEST_WRITE = 1_000
NEWEST_ROWS = 20

frontend = APIBlueprint(
    "frontend",
    __name__,
    abp_tags=[Tag(name="Existing frontend")],
    abp_security=BEARER,
    abp_responses={**ERRORS, 401: ErrorAnswer},
)
frontend.before_request(require_access_token)


class Write(Body):
    """Sample data to write while the caller waits."""

    data_count: StrictInt = Field(ge=1, le=GREATEST_WRITE, description="How many records.")


class WriteAnswer(Answer):
    """The users that were written, and how long it took."""

    message: str
    user_id: str | None = Field(
        alias="user_id", description="The first of them; null when every record was quarantined."
    )
    all_messages: list[str] = Field(alias="all_messages")
    all_user_ids: list[str] = Field(alias="all_user_ids", description="Sorted.")
    generation_time: float = Field(
        alias="generation_time", description="Seconds until the records were made and cleaning began."
    )
    commit_time: float = Field(
        alias="commit_time", description="Seconds from the end of cleaning until the rows were committed."
    )

    @classmethod
    def of(cls, written: WrittenRecords) -> "WriteAnswer":
        """What a caller sees of it."""
        user_ids = written.user_ids
        counted = f"{len(user_ids)} users from {written.job.record_count} sample records"
        return cls(
            message=f"{counted} are in the operational database.",
            user_id=user_ids[0] if user_ids else None,
            all_messages=[f"User {user_id} is in the operational database." for user_id in user_ids],
            all_user_ids=user_ids,
            generation_time=written.generation_seconds,
            commit_time=written.commit_seconds,
        )


class FrontendTablePath(Body):
    """A table of the frontend."""

    table: FrontendTable


class RowsAnswer(Answer):
    """The rows of one table, under its name."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, list[dict[str, Any]]] = Field(init=False)


@frontend.post("/write_to_db", responses={200: WriteAnswer, 409: ErrorAnswer})
def write_to_db(body: Write) -> Response:
    """Make sample records, clean them, and commit them to the operational database before the answer.

    The job shows among the others. When it fails the answer is 409 with the code job_failed; when it takes
    too long it is 503 with the code still_working, and the job, which the message names, goes on. When too
    many callers wait already it is 503 with the code busy, and nothing was begun.
    """
    return respond(WriteAnswer.of(services().synchronous_writing.write(current_user_id(), body.data_count)))


@frontend.get("/get_<table>", responses={200: RowsAnswer})
def get_newest_rows(path: FrontendTablePath) -> Response:
    """The 20 newest rows of a table, of your own data: newest datasets first, within them newest rows first.

    Decimals, dates and times are text, as in the tables of a job. The wishlist is always empty: the data
    contract ignores wishlists.
    """
    rows = services().operational_tables.newest(current_user_id(), path.table, NEWEST_ROWS)
    return respond(RowsAnswer.model_validate({path.table.value: rows}))
