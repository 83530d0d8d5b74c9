import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backend.adapters import duckdb_warehouse
from backend.adapters.duckdb_warehouse import DuckDbWarehouse
from backend.command_line import main
from backend.commands import sql
from tests.integration.test_duckdb_warehouse import JOB, gold

ORDERS: list[dict[str, Any]] = [
    {
        "order_id": "o1",
        "quantity": 2,
        "unit_price": Decimal("1.50"),
        "order_created_at": datetime(2026, 11, 22, 21, 0, tzinfo=UTC),
    },
    {"order_id": 'é, "\N{SUNRISE}"\N{ESCAPE}[31m'},
]
HOLDER = """
import sys, duckdb
held = duckdb.connect(sys.argv[1])
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dw_gold.duckdb"
    DuckDbWarehouse(path).load(JOB, gold(fact_orders=ORDERS))
    return path


def ask(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "backend", "sql", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def held_for_writing(file: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """By another process, until its stdin is closed."""
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder


def test_json_gives_decimals_and_times_as_text(file: Path) -> None:
    query = "select order_id, quantity, unit_price, order_created_at from fact_orders order by order_id"
    done = ask("--file", file, "--json", query)
    assert (done.returncode, done.stderr) == (0, "")
    names = ["order_id", "quantity", "unit_price", "order_created_at"]
    assert [list(row.items()) for row in json.loads(done.stdout)] == [
        list(zip(names, ["o1", 2, "1.50", "2026-11-22 21:00:00"], strict=True)),
        list(zip(names, ['é, "\N{SUNRISE}"\N{ESCAPE}[31m', None, None, None], strict=True)),
    ]


def test_csv_gives_nulls_as_empty_fields(file: Path) -> None:
    done = ask("--file", file, "--csv", "select order_id, unit_price from fact_orders order by order_id")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == 'order_id,unit_price\no1,1.50\n"é, ""\N{SUNRISE}""\N{ESCAPE}[31m",\n'


def test_a_table_shows_rows_whole_and_control_characters_as_words(file: Path) -> None:
    done = ask("--file", file, "select * from fact_orders order by order_id")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[1].split()[:6] == [
        "owner_id",
        "dataset_id",
        "job_id",
        "order_item_id",
        "order_id",
        "user_id",
    ]
    assert lines[3].split()[:6] == ["a" * 32, "dataset", "5" * 32, "NULL", "o1", "NULL"]
    assert 'é, "\N{SUNRISE}"\\x1b[31m' in lines[4]


def test_a_table_ends_after_a_thousand_rows_and_says_so(file: Path) -> None:
    done = ask("--file", file, "select * from range(1001)")
    assert done.returncode == 0
    assert "999" in done.stdout
    assert "1000" not in done.stdout
    assert done.stderr == "sql: the first 1000 of 1001 rows; --csv and --json give all\n"


def test_a_reader_that_has_seen_enough_is_no_error(file: Path) -> None:
    command = [sys.executable, "-m", "backend", "sql", "--file", str(file), "--csv", "from range(200000)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"range\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("selec", 'Parser Error: syntax error at or near "selec"'),
        (
            "select * from fact_order",
            'Catalog Error: Table with name fact_order does not exist! Did you mean "fact_orders"?',
        ),
        (
            "delete from fact_orders",
            (
                'Invalid Input Error: Cannot execute statement of type "DELETE" on database "dw_gold"'
                " which is attached in read-only mode!"
            ),
        ),
        (" ; ", "the query is empty"),
        ("select 1 as a, 2 as a", "two columns have one name: name them with AS"),
    ],
)
def test_what_can_not_be_answered_is_told_in_one_line(
    file: Path, query: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql", "--file", str(file), "--json", query]) == 1
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), json.loads(err)) == ("", 1, {"error": "unanswerable", "message": reason})


def test_without_a_warehouse_it_says_when_there_will_be_one(tmp_path: Path) -> None:
    done = ask("--file", tmp_path / "none", "select 1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"sql: there is no warehouse at {tmp_path / 'none'}: it is made when a first job has been cleaned\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_it_waits_while_a_load_has_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with held_for_writing(file) as holder:

        def end_the_load(_seconds: float) -> None:
            holder.communicate()

        monkeypatch.setattr(duckdb_warehouse.time, "sleep", end_the_load)
        assert main(["sql", "--file", str(file), "--csv", "select count(*) as n from fact_orders"]) == 0
    assert capfd.readouterr() == ("n\n2\n", "")
    assert holder.returncode == 0


def test_it_does_not_wait_for_ever(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sql, "_PATIENCE_SECONDS", 0.1)
    with held_for_writing(file):
        assert main(["sql", "--file", str(file), "select 1"]) == 1
    assert capfd.readouterr().err.startswith("sql: IO Error: Could not set lock on file ")
