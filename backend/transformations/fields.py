"""From decoded records to their fields, column by column.

A piece of records at a time: while they are still in the processor's caches, each of their values is touched
for as good as nothing, and what is left of a piece is a few Arrow arrays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from types import NoneType
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from backend.transformations.scalars import Mask, Piece, Scalars, read_scalars


@dataclass(frozen=True, slots=True)
class RecordTypes:
    """The classes that a contract's records are decoded to; fields that it does not read are skipped."""

    record: type[msgspec.Struct]
    entities: Mapping[str, type[msgspec.Struct]]


@dataclass(slots=True)
class Fields:
    """The fields of a part's records that are JSON objects, by source path, such as `user.email`.

    Attributes:
        objects: which of the part's records are objects; the fields have a row for each of these.
    """

    objects: Mask
    _pieces: Mapping[str, Sequence[Piece]]
    _read: dict[tuple[str, Callable[[float], str]], Scalars] = field(default_factory=dict)

    def scalars(self, source: str, number_text: Callable[[float], str]) -> Scalars:
        """One field over all rows, read once."""
        key = (source, number_text)
        if key not in self._read:
            self._read[key] = read_scalars(self._pieces[source], number_text)
        return self._read[key]

    def values(self, source: str) -> list[Any]:
        """One field's JSON values."""
        return [value for piece in self._pieces[source] for value in _values(piece)]


def fields_of(records: Sequence[Any], types: RecordTypes) -> Fields:
    """The fields of records that are all there already."""
    gathering = FieldGathering(types)
    gathering.add(records)
    return gathering.fields()


class FieldGathering:
    """Takes records piece by piece: instances of `types.record`, or whatever JSON value is no object."""

    def __init__(self, types: RecordTypes) -> None:
        self._types = types
        self._objects: list[list[bool]] = []
        self._pieces: dict[str, list[Piece]] = {
            f"{entity}.{name}": []
            for entity, entity_type in types.entities.items()
            for name in entity_type.__struct_fields__
        }

    def add(self, records: Sequence[Any]) -> None:
        """Take some more records."""
        record_type = self._types.record
        objects = [type(record) is record_type for record in records]
        self._objects.append(objects)
        if not all(objects):
            records = [record for record in records if type(record) is record_type]
        for name, entity_type in self._types.entities.items():
            absent = entity_type()
            # An entity that is no object counts as absent.
            entities = [
                entity if type(entity) is entity_type else absent for entity in map(attrgetter(name), records)
            ]
            for field_name in entity_type.__struct_fields__:
                values = list(map(attrgetter(field_name), entities))
                self._pieces[f"{name}.{field_name}"].append(_piece(values))

    def fields(self) -> Fields:
        """Those of all records that were taken."""
        return Fields(np.fromiter(chain.from_iterable(self._objects), np.bool_), self._pieces)


def _piece(values: list[Any]) -> Piece:
    kinds = set(map(type, values))
    return pa.array(values, pa.string()) if kinds <= {str, NoneType} else values


def _values(piece: Piece) -> list[Any]:
    values: list[Any] = piece.to_pylist() if isinstance(piece, pa.Array) else list(piece)
    return values
