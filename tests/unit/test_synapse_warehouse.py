"""What the adapter says to Synapse and makes of its answers; a pool itself is not to be had here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import mssql_python
import pyarrow as pa
import pytest

from backend.adapters import synapse_warehouse
from backend.adapters.synapse_warehouse import SynapseWarehouse, connect
from backend.domain.errors import LoadMismatch, Unavailable, ValueTooLong
from backend.ports import LoadedDataset
from backend.transformations.gold_columns import GOLD_COLUMNS
from tests.unit.recorded_connection import VERSION_QUERY, DriverError, RecordedConnection

OWNER, JOB = "a" * 32, "b" * 32
DATASET = LoadedDataset(OWNER, "november_orders", JOB, datetime(2026, 11, 22, 21, 0, 0, 123456, UTC))
GOLD = f"gold/analytics/{OWNER}/november_orders/{JOB}"
THIS_VERSION = {VERSION_QUERY: [(1,)]}
LOADED = THIS_VERSION | {"load_dataset": [(1,)]}
LEFT_ALONE = THIS_VERSION | {"load_dataset": [(0,)]}


@dataclass(frozen=True)
class Table:
    """Implements `GoldTable` with batches in memory."""

    name: str
    rows: int
    files: tuple[str, ...]
    held: tuple[pa.RecordBatch, ...] = ()

    def batches(self) -> Iterator[pa.RecordBatch]:
        return iter(self.held)


def tables(**changed: Table) -> list[Table]:
    plain = [Table(table.name, 3, (f"{GOLD}/{table.name}.parquet",)) for table in GOLD_COLUMNS]
    return [changed.get(table.name, table) for table in plain]


def warehouse(connection: RecordedConnection) -> SynapseWarehouse:
    return SynapseWarehouse(lambda: connection, "shanleelake")


def recorded(answers: Mapping[str, Sequence[tuple[Any, ...]]], **faults: Any) -> RecordedConnection:
    return RecordedConnection(answers, **faults)


def called(connection: RecordedConnection) -> dict[str, Any]:
    statement, values = connection.executed[-1]
    names = statement.split(" ", 2)[2].replace("@", "").replace(" = ?", "").split(", ")
    return dict(zip(names, values, strict=True))


def test_a_load_calls_the_procedure_with_the_files_and_rows_of_every_table() -> None:
    connection = recorded(LOADED)

    assert warehouse(connection).load(DATASET, tables()) is True

    assert connection.executed[0] == (VERSION_QUERY, ())
    assert connection.executed[1][0].startswith(
        "EXEC dw_gold.load_dataset @owner_id = ?, @dataset_id = ?, @job_id = ?, @as_of = ?,"
        " @lake_account = ?, @dim_users_path = ?, @dim_users_rows = ?,"
    )
    arguments = called(connection)
    assert arguments["owner_id"] == OWNER
    assert arguments["dataset_id"] == "november_orders"
    assert arguments["job_id"] == JOB
    assert arguments["as_of"] == datetime(2026, 11, 22, 21, 0, 0, 123456)  # noqa: DTZ001 - as DATETIME2 has it
    assert arguments["lake_account"] == "shanleelake"
    assert arguments["agg_product_metrics_path"] == f"{GOLD}/agg_product_metrics.parquet"
    assert arguments["agg_product_metrics_rows"] == 3
    assert len(arguments) == 5 + 2 * 7
    assert connection.closed


def test_a_table_of_several_files_is_read_as_their_folder() -> None:
    connection = recorded(LOADED)
    parts = tuple(f"{GOLD}/fact_orders.parquet/part-0000{number}.parquet" for number in (0, 1))

    warehouse(connection).load(DATASET, tables(fact_orders=Table("fact_orders", 9, parts)))

    assert called(connection)["fact_orders_path"] == f"{GOLD}/fact_orders.parquet/"


def test_the_procedure_s_answer_that_a_later_job_s_rows_stand_there_is_passed_on() -> None:
    assert warehouse(recorded(LEFT_ALONE)).load(DATASET, tables()) is False


def test_a_text_that_is_too_long_is_named_before_the_warehouse_is_asked() -> None:
    connection = recorded(LOADED)
    columns = next(table.columns for table in GOLD_COLUMNS if table.name == "dim_products")
    long = {column.name: [None] for column in columns} | {"product_id": ["p" * 256]}
    batch = pa.RecordBatch.from_pydict(long, schema=pa.schema([(name, pa.string()) for name in long]))

    with pytest.raises(ValueTooLong, match=r"dim_products\.product_id holds a text of 256 characters"):
        warehouse(connection).load(
            DATASET, tables(dim_products=Table("dim_products", 1, (f"{GOLD}/x",), (batch,)))
        )

    assert connection.executed == []


@pytest.mark.parametrize("when", ["failing", "failing_later"])
def test_files_with_other_rows_than_the_manifest_says_are_a_mismatch(when: str) -> None:
    said = DriverError(
        "Driver Error: Syntax error; DDBC Error: [Microsoft][SQL Server]gold_load_mismatch: dim_users has 2"
        " rows with 2 different keys and should have 3"
    )
    connection = RecordedConnection(THIS_VERSION, **{when: {"load_dataset": said}})

    with pytest.raises(
        LoadMismatch, match=r"^the warehouse: dim_users has 2 rows with 2 different keys and should have 3$"
    ):
        warehouse(connection).load(DATASET, tables())

    assert connection.closed


def test_any_other_error_of_the_driver_says_that_the_warehouse_is_unavailable() -> None:
    said = DriverError("Cannot connect to database when it is\npaused")

    for statement in (VERSION_QUERY, "load_dataset"):
        connection = recorded(LOADED, failing={statement: said})
        with pytest.raises(Unavailable, match=r"^Cannot connect to database when it is paused$"):
            warehouse(connection).load(DATASET, tables())
        assert connection.closed


def test_a_procedure_that_answers_nothing_has_not_loaded() -> None:
    with pytest.raises(Unavailable, match="has not said what it did"):
        warehouse(recorded(THIS_VERSION)).load(DATASET, tables())


@pytest.mark.parametrize("versions", [[], [(2,)], [(1,), (2,)]])
def test_another_schema_version_is_told_and_nothing_is_loaded(versions: list[tuple[int]]) -> None:
    connection = recorded(LOADED | {VERSION_QUERY: versions})

    with pytest.raises(Unavailable, match="this service needs 1: run `python -m backend migrate`"):
        warehouse(connection).load(DATASET, tables())
    with pytest.raises(Unavailable, match="this service needs 1"):
        warehouse(connection).ping()

    assert {statement for statement, _ in connection.executed} == {VERSION_QUERY}


def test_a_dataset_is_removed_by_its_procedure() -> None:
    connection = recorded({})

    warehouse(connection).remove(OWNER, "november_orders")

    assert connection.executed == [
        ("EXEC dw_gold.remove_dataset @owner_id = ?, @dataset_id = ?", (OWNER, "november_orders"))
    ]
    assert connection.closed


def test_an_instant_is_told_in_utc() -> None:
    connection = recorded(LOADED)
    earlier = replace(DATASET, as_of=datetime.fromisoformat("2026-11-22T23:00:00+02:00"))

    warehouse(connection).load(earlier, tables())

    assert called(connection)["as_of"].isoformat() == "2026-11-22T21:00:00"


def test_a_connection_is_opened_as_the_process_itself_in_autocommit(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, dict[str, Any]]] = []
    pooled: list[bool] = []
    connection = RecordedConnection()

    def open_connection(address: str, **options: Any) -> RecordedConnection:
        opened.append((address, options))
        return connection

    monkeypatch.setattr(mssql_python, "connect", open_connection)
    monkeypatch.setattr(mssql_python, "pooling", lambda *, enabled: pooled.append(enabled))

    assert connect("shanlee.sql.azuresynapse.net", "warehouse") is connection

    [(address, options)] = opened
    assert address == (
        "Server=tcp:shanlee.sql.azuresynapse.net,1433;Database=warehouse;Encrypt=yes;TrustServerCertificate=no;"
    )
    assert options["autocommit"] is True
    assert options["timeout"] == 30
    assert pooled == [False]
    assert connection.timeout == synapse_warehouse._STATEMENT_SECONDS


def test_a_warehouse_that_no_connection_is_made_to_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: str, **options: Any) -> RecordedConnection:
        raise mssql_python.OperationalError("Connection operation failed", "Login failed for user ''.")

    monkeypatch.setattr(mssql_python, "connect", refuse)
    monkeypatch.setattr(mssql_python, "pooling", lambda **_options: None)

    with pytest.raises(Unavailable, match=r"Login failed for user ''\.$"):
        connect("shanlee.sql.azuresynapse.net", "warehouse")
