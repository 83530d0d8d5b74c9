"""A DuckDB file as the warehouse of one machine, in Synapse's place."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from backend.domain.errors import LoadMismatch, Unavailable
from backend.ports import GoldTable, LoadedDataset
from backend.transformations.gold_columns import GOLD_COLUMNS, GoldTableColumns, Kind
from backend.transformations.gold_lengths import check_lengths

SCHEMA = "dw_gold"

_SCHEMA_VERSION = 1
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02
_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.INT32: "INTEGER",
    Kind.INT64: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.MONEY: "DECIMAL(12,2)",
    Kind.MONEY_SUM: "DECIMAL(18,2)",
    Kind.DATE: "DATE",
    # In UTC, as in MySQL and Synapse, which have no type for an instant either.
    Kind.INSTANT: "TIMESTAMP",
    Kind.BOOL: "BOOLEAN",
}
_BY_NAME = {table.name: table for table in GOLD_COLUMNS}
_OWNER = "owner_id VARCHAR NOT NULL, dataset_id VARCHAR NOT NULL, job_id VARCHAR NOT NULL"
_OF_DATASET = "WHERE owner_id = ? AND dataset_id = ?"
_REGISTRY = "gold_loads"


class DuckDbWarehouse:
    """Implements `GoldDestination` with the tables of the schema `dw_gold` in a file, made by the first load.

    A DuckDB file has one writer. Processes and threads take turns by a lock on a file beside it, which the
    kernel lets go of however a process ends, and have the file open only while they load.
    """

    name = "the warehouse"

    def __init__(self, file: Path) -> None:
        self._file = file

    def load(self, dataset: LoadedDataset, tables: Sequence[GoldTable]) -> bool:
        """See the port."""
        with self._opened() as connection:
            connection.begin()
            if _holds_later_job(connection, dataset):
                return False
            _delete(connection, dataset.owner_id, dataset.dataset_id)
            for table in tables:
                self._insert(connection, dataset, table)
                self._check(connection, dataset, table)
            _register(connection, dataset)
            connection.commit()
        return True

    def remove(self, owner_id: str, dataset_id: str) -> None:
        """See the port."""
        with self._opened() as connection:
            connection.begin()
            _delete(connection, owner_id, dataset_id)
            connection.commit()

    def ping(self) -> None:
        """See the port."""
        with self._opened():
            pass

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file, made if there is none, for this caller alone; what is not committed is rolled back.

        Raises:
            Unavailable: others have it for too long, or it can't be written, or is another version's.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with self._locked(deadline):
            try:
                if not self._file.exists():
                    _create(self._file)
                with open_file(self._file, deadline, read_only=False) as connection:
                    _check_version(connection, self._file)
                    yield connection
            except (duckdb.OperationalError, duckdb.FatalException) as error:
                raise Unavailable(f"{self._file}: {first_lines(error)}") from error

    @contextmanager
    def _locked(self, deadline: float) -> Iterator[None]:
        lock = _open_lock(self._file)
        try:
            while not _take(lock):
                if time.monotonic() >= deadline:
                    raise Unavailable(f"others have loaded into {self._file} for {_PATIENCE_SECONDS:.0f} s")
                time.sleep(_PAUSE_SECONDS)
            yield
        finally:
            os.close(lock)

    def _insert(
        self, connection: duckdb.DuckDBPyConnection, dataset: LoadedDataset, table: GoldTable
    ) -> None:
        columns = ", ".join(f'"{column.name}"' for column in _BY_NAME[table.name].columns)
        insert = (
            f"INSERT INTO {table.name} (owner_id, dataset_id, job_id, {columns})"  # noqa: S608 - our own names
            f" SELECT ?, ?, ?, {columns} FROM rows_to_insert"
        )
        # Batch by batch, and not as one stream that DuckDB reads: what the lake raises stays as it is.
        for batch in table.batches():
            check_lengths(self.name, table.name, batch)
            connection.register("rows_to_insert", pa.Table.from_batches([_without_zones(batch)]))
            connection.execute(insert, [dataset.owner_id, dataset.dataset_id, dataset.job_id])
            connection.unregister("rows_to_insert")

    def _check(self, connection: duckdb.DuckDBPyConnection, dataset: LoadedDataset, table: GoldTable) -> None:
        # Not by a primary key: replacing 100,000 rows takes 3 s with one and 0.2 s without, and a part of one
        # may be null.
        key = ", ".join(_BY_NAME[table.name].key)
        count = f"SELECT count(*), count(DISTINCT row({key})) FROM {table.name} {_OF_DATASET}"  # noqa: S608 - our own names
        [(rows, keys)] = connection.execute(count, [dataset.owner_id, dataset.dataset_id]).fetchall()
        if rows != table.rows:
            raise LoadMismatch(f"{self.name}: {table.name} has {rows} rows and should have {table.rows}")
        if keys != rows:
            raise LoadMismatch(f"{self.name}: {table.name} has {rows} rows and {keys} different keys ({key})")


@contextmanager
def open_file(file: Path, deadline: float, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB file with `dw_gold` as the schema of bare names, once nobody else's hold on it forbids that.

    Args:
        file: an existing file.
        deadline: on `time.monotonic`, until when to wait for others.
        read_only: open it beside other readers, but not beside a writer.

    Raises:
        duckdb.Error: it can't be opened.
    """
    while True:
        try:
            connection = duckdb.connect(str(file), read_only=read_only)
            break
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error) or time.monotonic() >= deadline:
                raise
        time.sleep(_PAUSE_SECONDS)
    with connection:
        if connection.execute("FROM duckdb_schemas() WHERE schema_name = ?", [SCHEMA]).fetchone():
            connection.execute(f"SET schema = '{SCHEMA}'")
        yield connection


def first_lines(error: duckdb.Error) -> str:
    """What DuckDB says, in one line: without the picture of the query that follows."""
    return " ".join(str(error).split("\n\n")[0].split())


def _create(file: Path) -> None:
    """Make the file with empty tables, all at once: a process that dies here leaves no half of it."""
    unfinished = file.with_name(f"{file.name}.new")
    # A log that a deleted file has left would be applied to this one.
    for leftover in (unfinished, Path(f"{unfinished}.wal"), Path(f"{file}.wal")):
        leftover.unlink(missing_ok=True)
    with duckdb.connect(str(unfinished)) as connection:
        connection.execute(f"CREATE SCHEMA {SCHEMA}; SET schema = '{SCHEMA}'")
        connection.execute(f"CREATE TABLE schema_version AS SELECT {_SCHEMA_VERSION} AS version")
        connection.execute(
            f"CREATE TABLE {_REGISTRY} ({_OWNER}, as_of TIMESTAMP NOT NULL, loaded_at TIMESTAMP NOT NULL)"
        )
        for table in GOLD_COLUMNS:
            connection.execute(_definition(table))
    unfinished.replace(file)


def _definition(table: GoldTableColumns) -> str:
    columns = ", ".join(f'"{column.name}" {_TYPES[column.kind]}' for column in table.columns)
    return f"CREATE TABLE {table.name} ({_OWNER}, {columns})"


def _check_version(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    try:
        versions = connection.execute("SELECT version FROM schema_version").fetchall()
    except duckdb.CatalogException:
        versions = []
    if versions != [(_SCHEMA_VERSION,)]:
        raise Unavailable(f"{file} is not a warehouse of this version: delete the file, and load again")


def _open_lock(file: Path) -> int:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable(f"{file} can't be written: {error.strerror}") from error


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holds_later_job(connection: duckdb.DuckDBPyConnection, dataset: LoadedDataset) -> bool:
    # Of two jobs of one moment the one with the smaller id is the later: ids sort newest first.
    later = f"SELECT 1 FROM {_REGISTRY} {_OF_DATASET} AND (as_of > ? OR as_of = ? AND job_id < ?)"  # noqa: S608 - our own names
    as_of = _in_utc(dataset.as_of)
    found = connection.execute(later, [dataset.owner_id, dataset.dataset_id, as_of, as_of, dataset.job_id])
    return found.fetchone() is not None


def _delete(connection: duckdb.DuckDBPyConnection, owner_id: str, dataset_id: str) -> None:
    for table in (*_BY_NAME, _REGISTRY):
        connection.execute(f"DELETE FROM {table} {_OF_DATASET}", [owner_id, dataset_id])  # noqa: S608 - our own names


def _register(connection: duckdb.DuckDBPyConnection, dataset: LoadedDataset) -> None:
    row = [dataset.owner_id, dataset.dataset_id, dataset.job_id]
    times = [_in_utc(dataset.as_of), _in_utc(datetime.now(UTC))]
    connection.execute(f"INSERT INTO {_REGISTRY} VALUES (?, ?, ?, ?, ?)", [*row, *times])  # noqa: S608 - our own names


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _without_zones(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Instants as TIMESTAMP in UTC: left to DuckDB, the zone of the process would shift them."""
    fields = [
        field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field
        for field in batch.schema
    ]
    return batch.cast(pa.schema(fields))
