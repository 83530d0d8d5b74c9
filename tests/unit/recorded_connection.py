"""A DB-API connection that notes what it is told, in place of Synapse, which runs nowhere but on Azure."""

from collections.abc import Mapping, Sequence
from typing import Any

VERSION_QUERY = "SELECT version FROM dw_gold.schema_version"


class DriverError(Exception):
    """As a driver's own class of errors, by which the connection is asked for it."""


class RecordedConnection:
    """Answers statements.

    Args:
        answers: the rows of a statement's result, by words of the statement.
        failing: what to raise for a statement, by words of the statement.
        failing_later: the same, but raised after the first of its results.
    """

    Error = DriverError

    def __init__(
        self,
        answers: Mapping[str, Sequence[tuple[Any, ...]]] | None = None,
        failing: Mapping[str, Exception] | None = None,
        failing_later: Mapping[str, Exception] | None = None,
    ) -> None:
        self.answers = answers or {}
        self.failing = failing or {}
        self.failing_later = failing_later or {}
        self.executed: list[tuple[str, tuple[Any, ...]]] = []
        self.closed = False

    def cursor(self) -> "RecordedCursor":
        return RecordedCursor(self)

    def close(self) -> None:
        self.closed = True


class RecordedCursor:
    """A cursor of a `RecordedConnection`."""

    def __init__(self, connection: RecordedConnection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self._later: Exception | None = None
        self.description: list[tuple[str]] | None = None

    def execute(self, statement: str, arguments: tuple[Any, ...] = ()) -> None:
        self._connection.executed.append((statement, arguments))
        if error := _of(self._connection.failing, statement):
            raise error
        self._later = _of(self._connection.failing_later, statement)
        rows = _of(self._connection.answers, statement)
        self._rows = list(rows or [])
        self.description = None if rows is None else [("column",)]

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def nextset(self) -> bool | None:
        if self._later:
            raise self._later
        return None


def _of(by_words: Mapping[str, Any], statement: str) -> Any:
    return next((value for words, value in by_words.items() if words in statement), None)
