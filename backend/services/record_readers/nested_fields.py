"""Dotted column names: `user.email` is the field `email` of the entity `user`."""

from collections.abc import Iterable, Sequence
from typing import Any

from backend.services.record_readers.limits import DEEPEST_NESTING

MOST_COLUMNS = 10_000
"""How many columns a table may have; each takes memory in every row."""


class AmbiguousFields(Exception):
    """The column names don't make one record; the message says which, or how many there are."""


class NestedFields:
    """Puts the cells of a row where their columns' names say.

    Raises:
        AmbiguousFields: a name is empty or used twice, one is both a field and an entity, or there are too
            many.
    """

    def __init__(self, names: Sequence[str]) -> None:
        if len(names) > MOST_COLUMNS:
            raise AmbiguousFields(f"{len(names)} columns, and at most {MOST_COLUMNS} may be")
        self._paths = [tuple(name.split(".")) for name in names]
        taken: set[tuple[str, ...]] = set()
        for name, path in zip(names, self._paths, strict=True):
            if not all(path):
                raise AmbiguousFields(f"the column {name!r} has an empty name")
            if len(path) >= DEEPEST_NESTING:
                raise AmbiguousFields(f"the column {name[:40]!r}... is nested deeper than {DEEPEST_NESTING}")
            if path in taken:
                raise AmbiguousFields(f"the column {name!r} appears twice")
            taken.add(path)
        for path in self._paths:
            for length in range(1, len(path)):
                if path[:length] in taken:
                    entity = ".".join(path[:length])
                    raise AmbiguousFields(
                        f"the columns {entity!r} and {'.'.join(path)!r} contradict each other"
                    )

    def __len__(self) -> int:
        return len(self._paths)

    def record(self, cells: Iterable[tuple[int, Any]]) -> dict[str, Any]:
        """A record of some cells, each with the place of its column."""
        record: dict[str, Any] = {}
        for place, value in cells:
            *entities, field = self._paths[place]
            holder = record
            for entity in entities:
                holder = holder.setdefault(entity, {})
            holder[field] = value
        return record
