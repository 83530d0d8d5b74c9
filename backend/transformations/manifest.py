"""The manifest: what a job wrote, named last, so that what it names is complete (data.md, section 4)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from backend.domain.jobs import Counts

VERSION = 1


class OutputFile(msgspec.Struct, frozen=True):
    """One file: its path, size and SHA-256 in hex."""

    path: str
    bytes: int
    sha256: str


class Output(msgspec.Struct, frozen=True):
    """One table: `path` is its file, or the folder of its part files."""

    table: str
    path: str
    rows: int
    files: tuple[OutputFile, ...]


class ManifestCounts(msgspec.Struct, frozen=True, rename="camel"):
    """The conservation equation."""

    records_in: int
    silver_rows: int
    duplicates_removed: int
    quarantined: int


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """The whole file. Paths are relative to the container, or to the folder of a local run."""

    version: int
    job_id: str
    as_of: str
    engine: str
    counts: ManifestCounts
    outputs: tuple[Output, ...]

    def encode(self) -> bytes:
        """The manifest as JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @classmethod
    def decode(cls, content: bytes) -> "Manifest":
        """Read a manifest that `encode` wrote."""
        return msgspec.json.decode(content, type=cls)


def single_file(table: str, path: str, rows: int, content: bytes | memoryview) -> Output:
    """The output of a table that is one file."""
    return Output(table, path, rows, (OutputFile(path, len(content), sha256(content).hexdigest()),))


def manifest(
    job_id: str, as_of: datetime, engine: str, counts: Counts, outputs: Iterable[Output]
) -> Manifest:
    """The manifest of a job."""
    return Manifest(
        version=VERSION,
        job_id=job_id,
        as_of=utc_text(as_of),
        engine=engine,
        counts=ManifestCounts(
            counts.records_in, counts.silver_rows, counts.duplicates_removed, counts.quarantined
        ),
        outputs=tuple(outputs),
    )


def utc_text(moment: datetime) -> str:
    """ISO 8601 with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
