"""The log of orchestration runs: what each found, did and skipped (data.md, section 5)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend import lake_paths
from backend.domain.errors import InvalidRequest
from backend.ports import FileSystem


class PipelineRun(msgspec.Struct, rename="camel", frozen=True, forbid_unknown_fields=True):
    """One run, as the pipeline tells of it.

    Attributes:
        steps: by the name of each function that was called, what it answered.
    """

    run_id: UUID
    pipeline: str
    trigger: str
    started_at: datetime
    outcome: Literal["succeeded", "skipped", "failed"]
    steps: dict[str, Any]

    @classmethod
    def decode(cls, body: bytes) -> "PipelineRun":
        """Read a run. Raises InvalidRequest."""
        try:
            return msgspec.json.decode(body, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"not a pipeline run: {error}") from error


class PipelineRunLog:
    """Writes runs into the lake; the same run again takes the place of the first."""

    def __init__(self, lake: FileSystem, clock: Callable[[], datetime]) -> None:
        self._lake = lake
        self._clock = clock

    def write(self, run: PipelineRun) -> str:
        """Write one run; the path of its file in the lake."""
        path = lake_paths.pipeline_run(run.started_at.astimezone(UTC).date(), str(run.run_id))
        entry = msgspec.to_builtins(run) | {"finishedAt": self._clock()}
        self._lake.write(path, msgspec.json.format(msgspec.json.encode(entry), indent=2))
        return path
