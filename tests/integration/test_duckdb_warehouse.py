import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from backend.adapters import duckdb_warehouse
from backend.adapters.duckdb_warehouse import DuckDbWarehouse
from backend.domain.errors import LoadMismatch, NotFound, Unavailable, ValueTooLong
from backend.ports import LoadedDataset
from tests.transformations.reference.schemas import GOLD_TABLES, SCHEMAS
from tests.waiting import wait_until

OWNER, OTHER_OWNER, DATASET = "a" * 32, "b" * 32, "dataset"
AS_OF = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
JOB = LoadedDataset(OWNER, DATASET, "5" * 32, AS_OF)
ORDERS = [
    {"order_id": "o1", "order_item_id": "i1", "quantity": 2},
    {"order_id": "o1", "order_item_id": None},
    {"order_id": "o2", "order_item_id": "i1"},
]
CHILD = """
import sys
from pathlib import Path
from tests.integration.test_duckdb_warehouse import load_as_child
load_as_child(Path(sys.argv[1]), sys.argv[2])
"""


@dataclass(frozen=True)
class GoldRows:
    """Implements `GoldTable`; columns that a row lacks are null."""

    name: str
    content: list[dict[str, Any]]
    error: Exception | None = None
    missing: int = 0

    @property
    def rows(self) -> int:
        return len(self.content) + self.missing

    @property
    def files(self) -> tuple[str, ...]:
        return ()

    def batches(self) -> Iterator[pa.RecordBatch]:
        schema = SCHEMAS[self.name]
        yield pa.RecordBatch.from_pylist([], schema=schema)
        for row in self.content:
            yield pa.RecordBatch.from_pylist([row], schema=schema)
        if self.error is not None:
            raise self.error


def gold(**tables: list[dict[str, Any]]) -> list[GoldRows]:
    return [GoldRows(name, tables.get(name, [])) for name in GOLD_TABLES]


def asked(file: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(query).fetchall()


def orders(file: Path) -> list[tuple[Any, ...]]:
    columns = "owner_id, dataset_id, job_id, order_id, order_item_id"
    return asked(file, f"select {columns} from dw_gold.fact_orders order by all")


def child(file: Path, role: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", CHILD, str(file), role])


def load_as_child(file: Path, role: str) -> None:
    """What a second process does; `dies` begins to replace the dataset, says so, and waits to be killed."""
    warehouse = DuckDbWarehouse(file)
    if role != "dies":
        for number in range(10):
            warehouse.load(replace(JOB, dataset_id=f"{role}{number}"), gold(fact_orders=ORDERS))
        return

    class Endless(GoldRows):
        def batches(self) -> Iterator[pa.RecordBatch]:
            yield from super().batches()
            file.with_suffix(".begun").touch()
            os.read(os.pipe()[0], 1)

    warehouse.load(replace(JOB, as_of=AS_OF + timedelta(1)), [Endless("fact_orders", ORDERS[:1])])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "warehouse.duckdb"


@pytest.fixture
def warehouse(file: Path) -> DuckDbWarehouse:
    return DuckDbWarehouse(file)


def test_every_table_is_there_with_the_owners_columns_first(warehouse: DuckDbWarehouse, file: Path) -> None:
    warehouse.ping()
    for table in GOLD_TABLES:
        columns = [row[0] for row in asked(file, f"describe dw_gold.{table}")]
        assert columns == ["owner_id", "dataset_id", "job_id", *SCHEMAS[table].names]


def test_a_job_loaded_again_leaves_the_same_rows(warehouse: DuckDbWarehouse, file: Path) -> None:
    expected = [
        (OWNER, DATASET, JOB.job_id, "o1", "i1"),
        (OWNER, DATASET, JOB.job_id, "o1", None),
        (OWNER, DATASET, JOB.job_id, "o2", "i1"),
    ]
    for _ in range(2):
        assert warehouse.load(JOB, gold(fact_orders=ORDERS))
        assert orders(file) == expected
    registered = "select owner_id, dataset_id, job_id, as_of from dw_gold.gold_loads"
    assert asked(file, registered) == [(OWNER, DATASET, JOB.job_id, datetime(2026, 11, 22, 21, 0))]  # noqa: DTZ001 - as DuckDB gives it


def test_a_later_job_replaces_every_table_of_its_dataset_and_no_other(
    warehouse: DuckDbWarehouse, file: Path
) -> None:
    others = replace(JOB, owner_id=OTHER_OWNER)
    warehouse.load(others, gold(fact_orders=ORDERS[:1]))
    warehouse.load(JOB, gold(fact_orders=ORDERS, dim_products=[{"product_id": "p1"}]))
    later = replace(JOB, job_id="9" * 32, as_of=AS_OF + timedelta(seconds=1))
    assert warehouse.load(later, gold(fact_orders=ORDERS[2:]))
    assert orders(file) == [
        (OWNER, DATASET, "9" * 32, "o2", "i1"),
        (OTHER_OWNER, DATASET, "5" * 32, "o1", "i1"),
    ]
    assert asked(file, "select * from dw_gold.dim_products") == []


@pytest.mark.parametrize(
    ("as_of", "job_id", "is_loaded"),
    [
        pytest.param(AS_OF - timedelta(microseconds=1), "1" * 32, False, id="earlier"),
        pytest.param(AS_OF, "6" * 32, False, id="of the same moment with a greater id"),
        pytest.param(AS_OF, "4" * 32, True, id="of the same moment with a smaller id"),
        pytest.param(AS_OF.astimezone(timezone(timedelta(hours=5))), "4" * 32, True, id="in another zone"),
    ],
)
def test_an_older_job_changes_nothing(
    warehouse: DuckDbWarehouse, file: Path, as_of: datetime, job_id: str, is_loaded: bool
) -> None:
    warehouse.load(JOB, gold(fact_orders=ORDERS))
    other = replace(JOB, job_id=job_id, as_of=as_of)
    assert warehouse.load(other, gold(fact_orders=ORDERS[:1])) is is_loaded
    assert [row[2] for row in orders(file)] == ([job_id] if is_loaded else [JOB.job_id] * 3)


def test_values_arrive_as_they_are(
    warehouse: DuckDbWarehouse, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The zone of the process must not shift an instant.
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    name = 'O\'Neill "\N{FACE WITH TEARS OF JOY}"; drop table x --\n\\'
    first, last = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    user = {
        "user_id": name,
        "full_name": "",
        "birth_date": date(1900, 2, 28),
        "age": 126,
        "user_created_at": first,
    }
    order = {
        "order_id": "o",
        "unit_price": Decimal("9999999999.99"),
        "line_amount": Decimal("-9999999999999999.99"),
        "order_created_at": first,
        "order_updated_at": last,
    }
    day = {"date_id": 20261122, "date": date(2026, 11, 22), "is_weekend": True}
    mean = {"user_id": "u", "order_count": 2**62, "average_quality_score": 0.1}
    warehouse.load(JOB, gold(dim_users=[user], fact_orders=[order], dim_time=[day], agg_user_metrics=[mean]))
    columns = "user_id, full_name, username, birth_date, age, user_created_at::varchar"
    assert asked(file, f"select {columns} from dw_gold.dim_users") == [
        (name, "", None, date(1900, 2, 28), 126, "1900-01-01 00:00:00")
    ]
    columns = "unit_price, line_amount, quantity, order_created_at::varchar, order_updated_at::varchar"
    assert asked(file, f"select {columns} from dw_gold.fact_orders") == [
        (
            Decimal("9999999999.99"),
            Decimal("-9999999999999999.99"),
            None,
            "1900-01-01 00:00:00",
            "9999-12-31 23:59:59.999999",
        )
    ]
    assert asked(file, 'select date_id, "date", is_weekend from dw_gold.dim_time') == [
        (20261122, date(2026, 11, 22), True)
    ]
    assert asked(file, "select order_count, average_quality_score from dw_gold.agg_user_metrics") == [
        (2**62, 0.1)
    ]


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        pytest.param(
            GoldRows("fact_orders", ORDERS[:2], missing=1),
            LoadMismatch,
            "the warehouse: fact_orders has 2 rows and should have 3",
            id="too few rows",
        ),
        pytest.param(
            GoldRows("fact_orders", [ORDERS[1], ORDERS[1]]),
            LoadMismatch,
            "the warehouse: fact_orders has 2 rows and 1 different keys (order_id, order_item_id)",
            id="one key twice",
        ),
        pytest.param(
            GoldRows("dim_location", [{"location_id": "1" * 17}]),
            ValueTooLong,
            "the warehouse: dim_location.location_id holds a text of 17 characters, and takes 16",
            id="a text too long",
        ),
        pytest.param(
            GoldRows("fact_orders", ORDERS[:1], NotFound("the lake's own words")),
            NotFound,
            "the lake's own words",
            id="a file that is gone",
        ),
    ],
)
def test_a_load_that_fails_leaves_what_was(
    warehouse: DuckDbWarehouse, file: Path, table: GoldRows, error: type[Exception], message: str
) -> None:
    warehouse.load(JOB, gold(fact_orders=ORDERS))
    before = orders(file)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        warehouse.load(replace(JOB, as_of=AS_OF + timedelta(1)), [table])
    assert orders(file) == before
    assert warehouse.load(JOB, gold(fact_orders=ORDERS))


def test_a_process_killed_in_the_middle_leaves_what_was_and_keeps_nobody_waiting(
    warehouse: DuckDbWarehouse, file: Path
) -> None:
    warehouse.load(JOB, gold(fact_orders=ORDERS))
    before = orders(file)
    with child(file, "dies") as process:
        try:
            wait_until(file.with_suffix(".begun").exists)
        finally:
            process.kill()
    assert process.returncode == -9
    assert orders(file) == before
    assert warehouse.load(JOB, gold(fact_orders=ORDERS[:1]))
    assert len(orders(file)) == 1


def test_two_processes_and_two_threads_load_at_the_same_time(warehouse: DuckDbWarehouse, file: Path) -> None:
    def load(number: int) -> bool:
        return warehouse.load(replace(JOB, dataset_id=f"thread{number}"), gold(fact_orders=ORDERS))

    with child(file, "one") as first, child(file, "two") as second, ThreadPoolExecutor(2) as threads:
        assert all(threads.map(load, range(10)))
    assert (first.returncode, second.returncode) == (0, 0)
    assert asked(file, "select count(*), count(distinct dataset_id) from dw_gold.fact_orders") == [(90, 30)]


def test_a_removed_datasets_rows_and_registration_are_gone(warehouse: DuckDbWarehouse, file: Path) -> None:
    warehouse.load(JOB, gold(fact_orders=ORDERS))
    warehouse.load(replace(JOB, dataset_id="other"), gold(fact_orders=ORDERS[:1]))
    warehouse.remove(OWNER, DATASET)
    warehouse.remove(OTHER_OWNER, "never loaded")
    assert {row[1] for row in orders(file)} == {"other"}
    assert asked(file, "select dataset_id from dw_gold.gold_loads") == [("other",)]


def test_a_file_of_another_version_is_named_and_may_be_deleted(
    warehouse: DuckDbWarehouse, file: Path
) -> None:
    warehouse.ping()
    with duckdb.connect(str(file)) as connection:
        connection.execute("update dw_gold.schema_version set version = 0")
    advice = f"{file} is not a warehouse of this version: delete the file, and load again"
    with pytest.raises(Unavailable, match=f"^{re.escape(advice)}$"):
        warehouse.load(JOB, gold())
    file.unlink()
    # A log of the deleted file is not the new one's.
    Path(f"{file}.wal").write_bytes(b"of the deleted file")
    assert warehouse.load(JOB, gold(fact_orders=ORDERS))
    assert len(orders(file)) == 3


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_a_file_that_is_no_warehouse_makes_it_unavailable(
    warehouse: DuckDbWarehouse, file: Path, content: bytes
) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(Unavailable, match=re.escape(str(file))):
        warehouse.ping()


def test_a_file_that_can_not_be_written_makes_it_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"can't be written: File exists$"):
        DuckDbWarehouse(tmp_path / "file" / "warehouse.duckdb").ping()


def test_waiting_for_others_ends(
    warehouse: DuckDbWarehouse, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_warehouse, "_PATIENCE_SECONDS", 0.2)
    warehouse.ping()

    class MeanwhilePinged(GoldRows):
        def batches(self) -> Iterator[pa.RecordBatch]:
            with pytest.raises(Unavailable, match=r"^others have loaded into "):
                DuckDbWarehouse(file).ping()
            return super().batches()

    assert warehouse.load(JOB, [MeanwhilePinged("fact_orders", ORDERS)])
    code = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1], read_only=True);"
        " print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        with pytest.raises(Unavailable, match="Could not set lock"):
            warehouse.load(JOB, gold())
