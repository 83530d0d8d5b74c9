"""Gold in the operational database: SQLite by default, MySQL or MariaDB by URL."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Table, and_, delete, func, literal, select, text, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from backend.adapters import mysql_rows
from backend.adapters.database_engine import LONG_ANSWER_SECONDS, open_engine, transaction
from backend.adapters.operational_schema import GOLD, GOLD_LOADS, OWNER, SCHEMA_VERSION, key_column
from backend.domain.errors import LoadMismatch, Unavailable
from backend.ports import GoldTable, LoadedDataset
from backend.transformations.gold_columns import GOLD_COLUMNS, GoldTableColumns
from backend.transformations.gold_lengths import check_lengths

NAME = "the operational database"

# Far below the least max_allowed_packet that a server comes with, 16 MiB.
_STATEMENT_BYTES = 1 << 20
_COLUMNS = {table.name: table for table in GOLD_COLUMNS}


class OperationalDatabase:
    """Implements `GoldDestination`.

    Args:
        url: SQLAlchemy's URL of the database.

    Raises:
        InvalidSettings: the URL names no database that can be used.
    """

    name = NAME

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url, LONG_ANSWER_SECONDS)
        self._is_sqlite = self._engine.dialect.name == "sqlite"

    def load(self, dataset: LoadedDataset, tables: Sequence[GoldTable]) -> bool:
        """Replace the rows of a dataset by those of a job, in one transaction (see the port)."""
        self.ping()
        try:
            with transaction(self._engine) as connection:
                if not self._register(connection, dataset):
                    return False
                for table in tables:
                    self._write(connection, dataset, table)
                for table in tables:
                    self._settle(connection, dataset, table)
        except IntegrityError as error:
            # Not from SQLAlchemy's own error, which quotes the statement with its rows.
            raise LoadMismatch(f"{NAME}: a row lacks a part of its key") from error.orig
        return True

    def remove(self, owner_id: str, dataset_id: str) -> None:
        """Delete all rows of a dataset. Raises Unavailable."""
        with transaction(self._engine) as connection:
            # The registry first: its row is what a load has locked.
            for table in (GOLD_LOADS, *GOLD.values()):
                connection.execute(delete(table).where(_of_dataset(table, owner_id, dataset_id)))

    def ping(self) -> None:
        """Raise Unavailable if it does not answer or has another schema version."""
        with transaction(self._engine) as connection:
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if version != SCHEMA_VERSION:
            raise Unavailable(
                f"the database has schema version {version}, and this service needs {SCHEMA_VERSION}:"
                " run `python -m backend migrate`"
            )

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _register(self, connection: Connection, dataset: LoadedDataset) -> bool:
        """Lock the dataset's row of the registry, and put the job into it unless a later one stands there."""
        row = {
            "owner_id": dataset.owner_id,
            "dataset_id": dataset.dataset_id,
            "job_id": dataset.job_id,
            "as_of": self._instant(dataset.as_of),
            "loaded_at": self._instant(datetime.now(UTC)),
        }
        # First of all, so that a second loader of the dataset waits here until this one has ended.
        connection.execute(self._insert_absent(row))
        here = _of_dataset(GOLD_LOADS, dataset.owner_id, dataset.dataset_id)
        standing = connection.execute(select(GOLD_LOADS).where(here).with_for_update()).one()
        # Job ids count the time down: of two jobs of one moment the smaller id is the later.
        if (standing.as_of, _lateness(standing.job_id)) > (row["as_of"], _lateness(dataset.job_id)):
            return False
        connection.execute(update(GOLD_LOADS).where(here).values(row))
        if standing.job_id == dataset.job_id and standing.loaded_at != row["loaded_at"]:
            # The job may have been cleaned again since, and what it has no longer would look like its own.
            for table in GOLD.values():
                rows = _of_dataset(table, dataset.owner_id, dataset.dataset_id)
                connection.execute(delete(table).where(rows))
        return True

    def _insert_absent(self, row: dict[str, Any]) -> Any:
        if self._is_sqlite:
            return sqlite.insert(GOLD_LOADS).values(row).on_conflict_do_nothing()
        statement = mysql.insert(GOLD_LOADS).values(row)
        return statement.on_duplicate_key_update(owner_id=GOLD_LOADS.c.owner_id)

    def _write(self, connection: Connection, dataset: LoadedDataset, table: GoldTable) -> None:
        owner = dict(zip(OWNER, (dataset.owner_id, dataset.dataset_id, dataset.job_id), strict=True))
        if self._is_sqlite:
            for columns in _checked(table):
                upsert = _sqlite_upsert(GOLD[table.name], owner, [*columns])
                connection.exec_driver_sql(upsert, _rows(columns))
            return
        for statement in _one_ahead(_mysql_upserts(GOLD[table.name], owner, _checked(table))):
            connection.exec_driver_sql(statement)

    def _settle(self, connection: Connection, dataset: LoadedDataset, table: GoldTable) -> None:
        """Delete the rows that an earlier job left, and count what stands there now. Raises LoadMismatch."""
        columns = GOLD[table.name]
        here = _of_dataset(columns, dataset.owner_id, dataset.dataset_id)
        connection.execute(delete(columns).where(and_(here, columns.c.job_id != dataset.job_id)))
        rows = connection.execute(select(func.count()).select_from(columns).where(here)).scalar_one()
        if rows != table.rows:
            raise LoadMismatch(f"{NAME}: {table.name} has {rows} rows and should have {table.rows}")

    def _instant(self, moment: datetime) -> Any:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if self._is_sqlite else _naive(moment)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _lateness(job_id: str) -> int:
    return -int(job_id, 16)


def _of_dataset(table: Table, owner_id: str, dataset_id: str) -> Any:
    return and_(table.c.owner_id == owner_id, table.c.dataset_id == dataset_id)


def _checked(table: GoldTable) -> Iterator[dict[str, pa.Array]]:
    """What is written of each batch that has rows, by the database's columns. Raises ValueTooLong."""
    for batch in table.batches():
        check_lengths(NAME, table.name, batch)
        if batch.num_rows:
            yield _columns(_COLUMNS[table.name], batch)


def _columns(table: GoldTableColumns, batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """All but the owner's, which are the same in every row of a dataset."""
    columns = {key_column(table, name): pc.fill_null(batch[name], "") for name in table.nullable_key}
    return columns | {column.name: batch[column.name] for column in table.columns}


def _rows(columns: dict[str, pa.Array]) -> list[tuple[Any, ...]]:
    """Rows for SQLite: decimals, dates and times as text, which keeps every digit."""
    return list(zip(*(_plain(column) for column in columns.values()), strict=True))


def _plain(column: pa.Array) -> list[Any]:
    """By way of NumPy, in a seventh of the time that `to_pylist` takes."""
    if pa.types.is_timestamp(column.type):
        column = _iso_instants(column)
    elif pa.types.is_decimal(column.type) or pa.types.is_date(column.type) or _has_absent_integers(column):
        # SQLite turns the text of an integer into one, as the column's type says.
        column = column.cast(pa.string())
    # A double that is absent becomes NaN, which SQLite keeps as NULL.
    values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
    return values


def _iso_instants(column: pa.Array) -> pa.Array:
    """As `2024-01-02T03:04:05.000006Z`, in a sixth of the time that `strftime` takes."""
    text = column.cast(pa.timestamp("us")).cast(pa.string())
    return pc.binary_join_element_wise(pc.binary_replace_slice(text, 10, 11, "T"), "Z", "")


def _has_absent_integers(column: pa.Array) -> bool:
    return bool(column.null_count) and pa.types.is_integer(column.type)


def _sqlite_upsert(table: Table, owner: Mapping[str, str], names: list[str]) -> str:
    """The owner's columns stand in it as literals: bound in every row they take an eighth of the time."""
    keys = ", ".join(column.name for column in table.primary_key)
    values = ", ".join([*map(_sqlite_literal, owner.values()), *("?" * len(names))])
    changes = ", ".join(f"{name} = excluded.{name}" for name in _changing(table, [*owner, *names]))
    into = f"INSERT INTO {table.name} ({', '.join([*owner, *names])})"
    return f"{into} VALUES ({values}) ON CONFLICT ({keys}) DO UPDATE SET {changes}"


def _sqlite_literal(text: str) -> str:
    return str(literal(text).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


def _mysql_upserts(
    table: Table, owner: Mapping[str, str], batches: Iterator[dict[str, pa.Array]]
) -> Iterator[str]:
    """VALUES(column) is the form that MySQL and MariaDB both take."""
    for columns in batches:
        rows = len(next(iter(columns.values())))
        every = {name: pa.repeat(pa.scalar(value), rows) for name, value in owner.items()} | columns
        changes = ", ".join(
            f"{_quoted(name)} = VALUES({_quoted(name)})" for name in _changing(table, [*every])
        )
        into = f"INSERT INTO {table.name} ({', '.join(map(_quoted, every))})"
        for values in mysql_rows.value_lists(list(every.values()), _STATEMENT_BYTES):
            yield f"{into} VALUES {values} ON DUPLICATE KEY UPDATE {changes}"


def _one_ahead(statements: Iterator[str]) -> Iterator[str]:
    """Each statement is made while the server works on the one before."""
    with ThreadPoolExecutor(1, thread_name_prefix="rows") as pool:
        coming = pool.submit(next, statements, None)
        while (statement := coming.result()) is not None:
            coming = pool.submit(next, statements, None)
            yield statement


def _quoted(name: str) -> str:
    return f"`{name}`"


def _changing(table: Table, names: list[str]) -> Iterator[str]:
    keys = {column.name for column in table.primary_key}
    return (name for name in names if name not in keys)
