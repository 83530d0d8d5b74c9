"""How fast fact rows come into MariaDB, beside LOAD DATA LOCAL INFILE.

`python -m tests.benchmarks.operational_load`. Each round loads the same rows into the same empty table both
ways. Then a loader of all of Gold is killed at 20 random moments.
"""

import statistics
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pymysql

from backend.adapters.operational_database import OperationalDatabase
from backend.adapters.operational_schema import GOLD
from backend.adapters.schema_migration import migrate
from tests.gold import ArrowGoldTable, gold_of_records, write_gold
from tests.killed_loads import kill_at_random, load_in_a_process, standing
from tests.loading_process import DATASET, OWNER, dataset
from tests.mariadb_server import MariaDbServer, running_mariadb

_RECORDS = 102_000
_FACT_ROWS = 100_000
_ROUNDS = 5
_KILLS = 20
_FACT = "fact_orders"


def main() -> None:
    """Measure, and print."""
    gold = gold_of_records(_RECORDS)
    facts = gold[_FACT].slice(0, _FACT_ROWS)
    with tempfile.TemporaryDirectory() as name, running_mariadb(_made(Path(name) / "server")) as server:
        folder = Path(name)
        url = server.create_database("speed")
        migrate(url)
        _measure(server, url, facts, folder / "facts.tsv")
        _kill(server, gold, folder)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _measure(server: MariaDbServer, url: str, facts: pa.Table, file: Path) -> None:
    columns = _write_tab_separated(facts, file)
    database = OperationalDatabase(url)
    table = ArrowGoldTable(_FACT, facts, facts.num_rows)
    infile, ours = [], []
    for number in range(_ROUNDS + 1):
        with server.connect("speed", local_infile=True) as connection:
            infile.append(_timed_infile(connection, columns, file))
            _empty(connection)
            began = time.perf_counter()
            database.load(dataset(number), [table])
            ours.append(time.perf_counter() - began)
            _empty(connection)
    database.close()
    # The first round warms the server up.
    first, second = statistics.median(infile[1:]), statistics.median(ours[1:])
    print(f"{facts.num_rows} fact rows: LOAD DATA LOCAL INFILE {first:.2f} s, load {second:.2f} s,")
    print(f"  {facts.num_rows / second:,.0f} rows a second, {first / second:.2f} of its speed")


def _timed_infile(
    connection: "pymysql.Connection[pymysql.cursors.Cursor]", columns: str, file: Path
) -> float:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {_FACT} CHARACTER SET utf8mb4 ({columns})"
        )
    return time.perf_counter() - began


def _empty(connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {_FACT}")
        assert cursor.fetchall() == ((_FACT_ROWS,),)
        for table in (_FACT, "gold_loads"):
            cursor.execute(f"TRUNCATE {table}")


def _write_tab_separated(facts: pa.Table, file: Path) -> str:
    """The rows as LOAD DATA reads them; the columns' names. No text in them holds a tab or a backslash."""
    owner = {"owner_id": OWNER, "dataset_id": DATASET, "job_id": "0" * 32}
    columns = {name: pa.repeat(pa.scalar(value), len(facts)) for name, value in owner.items()}
    columns["order_item_key"] = facts["order_item_id"].fill_null("")
    for name in facts.column_names:
        column = facts[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us"))
        columns[name] = column.cast(pa.string()).fill_null("\\N")
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    pyarrow.csv.write_csv(pa.table(columns), file, options)
    assert set(columns) == {column.name for column in GOLD[_FACT].columns}
    return ", ".join(columns)


def _kill(server: MariaDbServer, gold: dict[str, pa.Table], folder: Path) -> None:
    url = server.create_database("killed")
    migrate(url)
    smaller = {name: table.slice(0, table.num_rows // 2) for name, table in gold.items()}
    expected = []
    for name, tables in (("whole", gold), ("half", smaller)):
        write_gold(tables, folder / name)
        expected.append({table: content.num_rows for table, content in tables.items()})
    kills = kill_at_random(url, (folder / "whole", folder / "half"), _KILLS)
    for after in kills:
        jobs = {number for count, number in after.standing.values() if count}
        assert len(jobs) == 1, after
        rows = {name: count for name, (count, _) in after.standing.items()}
        assert rows == expected[jobs.pop() % 2], after
    under_way = sum(after.was_loading for after in kills)
    print(f"loader killed {_KILLS} times, {under_way} of them under way:")
    print("  the tables equal one job's whole manifest every time")
    load_in_a_process(url, folder / "whole", _KILLS + 2)
    assert {name: count for name, (count, _) in standing(url).items()} == expected[0]
    print(f"  and after one more load the last one's, {sum(expected[0].values())} rows")


if __name__ == "__main__":
    main()
