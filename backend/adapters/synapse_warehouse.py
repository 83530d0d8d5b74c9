"""Gold in Synapse: a dedicated SQL pool, which reads the lake's files itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backend.domain.errors import LoadMismatch, Unavailable
from backend.ports import GoldTable, LoadedDataset
from backend.transformations.gold_columns import GOLD_COLUMNS
from backend.transformations.gold_lengths import check_lengths

if TYPE_CHECKING:
    from mssql_python import Connection, Cursor

SCHEMA_VERSION = 1
"""The version of infrastructure/synapse that this code needs."""

_LOGIN_SECONDS = 30
# Less than a load's lease and than a function may run.
_STATEMENT_SECONDS = 540
_MISMATCH = "gold_load_mismatch: "
_LONGEST_MESSAGE = 500


def connect(server: str, database: str) -> "Connection":
    """A connection to a pool as this process's own identity, in autocommit: procedures begin transactions.

    Args:
        server: the host, such as `name.sql.azuresynapse.net`.
        database: the pool's name.

    Raises:
        Unavailable: it is paused, does not answer, or knows no such login.
    """
    import mssql_python
    from azure.identity import DefaultAzureCredential

    # Pooled, a connection that timed out in a transaction would keep its locks; closed, it is rolled back.
    mssql_python.pooling(enabled=False)
    address = f"Server=tcp:{server},1433;Database={database};Encrypt=yes;TrustServerCertificate=no;"
    try:
        connection = mssql_python.connect(
            address, autocommit=True, timeout=_LOGIN_SECONDS, token_provider=DefaultAzureCredential()
        )
    except mssql_python.Error as error:
        raise Unavailable(_words(error)) from error
    connection.timeout = _STATEMENT_SECONDS
    return connection


class SynapseWarehouse:
    """Implements `GoldDestination` with the procedures of infrastructure/synapse.

    Args:
        connect: opens a connection in autocommit; raises Unavailable.
        lake_account: the storage account of the lake, whose files the pool reads as the workspace's identity.
    """

    name = "the warehouse"

    def __init__(self, connect: "Callable[[], Connection]", lake_account: str) -> None:
        self._connect = connect
        self._lake_account = lake_account

    def load(self, dataset: LoadedDataset, tables: Sequence[GoldTable]) -> bool:
        """See the port."""
        # The pool would say that some text is too long, but not which.
        for table in tables:
            for batch in table.batches():
                check_lengths(self.name, table.name, batch)
        arguments = self._arguments(dataset, {table.name: table for table in tables})
        with self._cursor() as cursor:
            _check_version(cursor)
            _call(cursor, "load_dataset", arguments)
            return _answer(cursor) == 1

    def remove(self, owner_id: str, dataset_id: str) -> None:
        """See the port."""
        with self._cursor() as cursor:
            _call(cursor, "remove_dataset", {"owner_id": owner_id, "dataset_id": dataset_id})

    def ping(self) -> None:
        """See the port."""
        with self._cursor() as cursor:
            _check_version(cursor)

    def _arguments(self, dataset: LoadedDataset, tables: Mapping[str, GoldTable]) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "owner_id": dataset.owner_id,
            "dataset_id": dataset.dataset_id,
            "job_id": dataset.job_id,
            "as_of": _in_utc(dataset.as_of),
            "lake_account": self._lake_account,
        }
        for columns in GOLD_COLUMNS:
            table = tables[columns.name]
            arguments[f"{table.name}_path"] = _path(table)
            arguments[f"{table.name}_rows"] = table.rows
        return arguments

    @contextmanager
    def _cursor(self) -> "Iterator[Cursor]":
        connection = self._connect()
        try:
            yield connection.cursor()
        except connection.Error as error:
            message = _words(error)
            if _MISMATCH in message:
                raise LoadMismatch(f"{self.name}: {message.partition(_MISMATCH)[2]}") from error
            raise Unavailable(message) from error
        finally:
            connection.close()


def _call(cursor: "Cursor", procedure: str, arguments: Mapping[str, Any]) -> None:
    names = ", ".join(f"@{name} = ?" for name in arguments)
    cursor.execute(f"EXEC dw_gold.{procedure} {names}", tuple(arguments.values()))
    # What a procedure raises after its first result is raised by going on to the next.
    while cursor.description is None and cursor.nextset():
        pass


def _answer(cursor: "Cursor") -> object:
    row = cursor.fetchone()
    if row is None:
        raise Unavailable("load_dataset has not said what it did")
    return row[0]


def _check_version(cursor: "Cursor") -> None:
    cursor.execute("SELECT version FROM dw_gold.schema_version")
    versions = [row[0] for row in cursor.fetchall()]
    if versions != [SCHEMA_VERSION]:
        raise Unavailable(
            f"the warehouse has schema version {versions}, and this service needs {SCHEMA_VERSION}:"
            " run `python -m backend migrate`"
        )


def _path(table: GoldTable) -> str:
    """A table's file, or the folder of its files: COPY INTO passes over names that begin with a dot."""
    if len(table.files) == 1:
        return table.files[0]
    return table.files[0].rpartition("/")[0] + "/"


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _words(error: Exception) -> str:
    """What the driver says, in one line. It is not told a secret, and so tells none."""
    return " ".join(str(error).split())[:_LONGEST_MESSAGE]
