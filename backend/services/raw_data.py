"""A look into a dataset as it came in: the first raw entities of one kind."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from backend.domain.errors import InvalidRequest, NotFound, TooLarge
from backend.ports import FileSystem, FrontendTable, LakeFile
from backend.services.dataset_catalogue import DatasetCatalogue
from backend.services.record_readers.json_array import read_json_array
from backend.services.record_readers.limits import BoundedBytes, buffered
from backend.transformations.bronze import without_lone_surrogates

MOST_ENTITIES = 10
"""So many are shown."""

MOST_RECORDS = 1_000
"""So many records are looked at, from the front: a kind that is not among them is taken for missing."""

_SECRET_NAMES = ("password", "passwd", "passphrase", "pwd")
_LONGEST_INTEGER = 4_300
_INFINITE = float("inf")


class RawDataReader:
    """Reads Bronze as far as it has to, and never a whole part at once."""

    def __init__(self, bronze: FileSystem, catalogue: DatasetCatalogue) -> None:
        self._bronze = bronze
        self._catalogue = catalogue

    def entities(self, user_id: str, parent_job_id: str, table: FrontendTable) -> list[dict[str, Any]]:
        """The first different entities of a kind, as they came, without any member that names a password.

        Numbers that JSON readers commonly can't hold (more than 4,300 digits, or beyond a double) are text.

        Raises:
            NotFound: there is no such dataset, or no such entity in it yet.
        """
        found: list[dict[str, Any]] = []
        for record in islice(self._records(user_id, parent_job_id), MOST_RECORDS):
            entity = _decoded(record).get(table.value)
            # What is no object counts as absent, as in cleaning (data.md, section 1).
            if isinstance(entity, dict) and entity not in found:
                found.append(entity)
            if len(found) == MOST_ENTITIES:
                break
        if not found:
            raise NotFound(f"the dataset has no raw data of {table.value}, or not yet")
        return found

    def _records(self, user_id: str, parent_job_id: str) -> Iterator[bytes]:
        for part in self._catalogue.parts(user_id, parent_job_id):
            try:
                yield from self._records_of(part)
            except (InvalidRequest, TooLarge):
                # A part that an operator has put there by hand; cleaning will say what is wrong with it.
                continue

    def _records_of(self, part: LakeFile) -> Iterator[bytes]:
        chunks = _Chunks(self._bronze.read_chunks(part.path))
        return read_json_array(buffered(BoundedBytes(chunks, part.size, "a part")))


class _Chunks:
    """Implements `ByteStream` over the pieces of a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        self._rest = self._rest or next(self._chunks, b"")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def _decoded(record: bytes) -> dict[str, Any]:
    value = json.loads(
        without_lone_surrogates(record.decode()),
        parse_int=_integer,
        parse_float=_number,
        object_pairs_hook=_without_secrets,
    )
    return value if isinstance(value, dict) else {}


def _without_secrets(members: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in members if not _is_secret(name)}


def _is_secret(name: str) -> bool:
    plain = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    return any(secret in plain for secret in _SECRET_NAMES)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


def _number(text: str) -> float | str:
    number = float(text)
    return text if abs(number) == _INFINITE else number
