"""Reading one Bronze part: bytes to typed records, as strictly as RFC 8259 and no stricter (data.md, 1)."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Never

import msgspec

from backend.domain.errors import MalformedPart
from backend.transformations.contract import Contract
from backend.transformations.fields import FieldGathering, Fields, RecordTypes, fields_of

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DEEPEST_NESTING = 512
# So many records of 3 KB are held by the processor's caches; 2,000 are not.
_RECORDS_AT_ONCE = 500
_RAW_RECORDS = msgspec.json.Decoder(list[msgspec.Raw])
_RecordDecoder = msgspec.json.Decoder[Any]
_LONGEST_INTEGER = 4_300

# A pair of surrogates is one character; a lone one becomes U+FFFD, spelled as long, so that places stay.
_SURROGATES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|(?P<nesting>[][{}])|(?P<constant>NaN|-?Infinity)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class BronzePart:
    """One part as it lies in Bronze. `name` is the file's name without its folder, with `.json`."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DecodedPart:
    """A part's records: how many there are, and the fields that the contract reads."""

    records_in: int
    fields: Fields
    _raw: Callable[[], Sequence[msgspec.Raw]]

    def texts(self, rows: Sequence[int]) -> list[str]:
        """The JSON text of some of the records."""
        raw = self._raw()
        return [bytes(raw[row]).decode() for row in rows]


def decode(part: BronzePart, contract: Contract) -> DecodedPart:
    """Decode a part.

    Raises:
        MalformedPart: it is not valid JSON in well-formed UTF-8, or no array at its top.
    """
    types, decoder = _record_types(contract)
    body = part.content.removeprefix(_BYTE_ORDER_MARK)
    if not body.isascii():
        _check_utf8(part, body)
    try:
        raw = _RAW_RECORDS.decode(body)
        gathering = FieldGathering(types)
        for start in range(0, len(raw), _RECORDS_AT_ONCE):
            gathering.add([decoder.decode(record) for record in raw[start : start + _RECORDS_AT_ONCE]])
    except (msgspec.DecodeError, RecursionError):
        # Malformed, or valid but unusual: Python's own reader takes the second and says where the first is.
        return _decode_unusual(part, body, types)
    return DecodedPart(len(raw), gathering.fields(), lambda: raw)


def without_lone_surrogates(text: str) -> str:
    """A JSON text whose escapes of lone surrogates are those of U+FFFD."""
    return _SURROGATES.sub(lambda match: r"\ufffd" if match[1] else match[0], text)


@lru_cache(maxsize=8)
def _record_types_of(sources: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[RecordTypes, _RecordDecoder]:
    entities = {
        entity: msgspec.defstruct(entity, [(field, Any, None) for field in fields], gc=False)
        for entity, fields in sources
    }
    scalar = str | int | float | bool | None
    record = msgspec.defstruct(
        "record", [(name, entity | scalar | list[Any], None) for name, entity in entities.items()], gc=False
    )
    decoder = msgspec.json.Decoder(record | scalar | list[Any])
    return RecordTypes(record, entities), decoder


def _record_types(contract: Contract) -> tuple[RecordTypes, _RecordDecoder]:
    return _record_types_of(tuple(contract.sources.items()))


def _check_utf8(part: BronzePart, body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        # What stands before may be malformed already; then reading stops there.
        _refuse_malformed(part, body[: error.start].decode(), truncated=True)
        raise _malformed(part, error.start, "invalid UTF-8") from error


def _decode_unusual(part: BronzePart, body: bytes, types: RecordTypes) -> DecodedPart:
    text = without_lone_surrogates(body.decode())
    records = _refuse_malformed(part, text)
    if not isinstance(records, list):
        start = len(text) - len(text.lstrip())
        raise _malformed(part, start, "the top level is not an array")
    fields = fields_of([_typed(record, types) for record in records], types)
    return DecodedPart(len(records), fields, lambda: _RAW_RECORDS.decode(text.encode()))


def _refuse_malformed(part: BronzePart, text: str, truncated: bool = False) -> Any:
    """Read with Python's own decoder; a truncated text may end within a value."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        position, reason = error.pos, error.msg
        if truncated and (position == len(text) or reason.startswith("Unterminated string")):
            return None
    except _UnknownConstant as error:
        position, reason = _first_constant(text), f"{error} is no value"
    except RecursionError:
        position, reason = _too_deep(text), f"nesting deeper than {_DEEPEST_NESTING}"
    raise _malformed(part, len(text[:position].encode()), reason)


class _UnknownConstant(Exception):
    """NaN, Infinity or -Infinity, which Python's reader would take."""


def _refuse_constant(name: str) -> Never:
    raise _UnknownConstant(name)


def _integer(digits: str) -> int | str:
    """An integer counts as its digits where text belongs; Python converts only so many of them."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits


def _typed(record: Any, types: RecordTypes) -> Any:
    if not isinstance(record, dict):
        return record
    return types.record(
        **{
            name: _entity(record[name], entity) if isinstance(record.get(name), dict) else record.get(name)
            for name, entity in types.entities.items()
        }
    )


def _entity(fields: dict[str, Any], entity: type[msgspec.Struct]) -> msgspec.Struct:
    return entity(**{name: fields.get(name) for name in entity.__struct_fields__})


def _first_constant(text: str) -> int:
    return next(match.start() for match in _TOKEN.finditer(text) if match["constant"])


def _too_deep(text: str) -> int:
    depth = 0
    for match in _TOKEN.finditer(text):
        if match["nesting"]:
            depth += 1 if match["nesting"] in "[{" else -1
            if depth > _DEEPEST_NESTING:
                return match.start()
    return len(text)


def _malformed(part: BronzePart, byte: int, reason: str) -> MalformedPart:
    mark = len(part.content) - len(part.content.removeprefix(_BYTE_ORDER_MARK))
    return MalformedPart(part.name, mark + byte, reason[:1].lower() + reason[1:])
