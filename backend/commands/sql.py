"""`python -m backend sql`: ask the local warehouse, while the stack runs or not."""

import argparse
import csv
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.adapters.duckdb_warehouse import SCHEMA, first_lines, open_file
from backend.command_line import CommandFailed, ExitStatus

EXAMPLES = (
    "sql 'select count(*) as orders from dw_gold.fact_orders'",
    "sql --json 'select product_name, revenue from dw_gold.agg_product_metrics limit 5'",
    "sql --csv 'from dw_gold.dim_location' > dim_location.csv",
)

_DEFAULT_FILE = Path(__file__).resolve().parents[2] / ".state" / "warehouse.duckdb"
_PATIENCE_SECONDS = 10.0
_SHOWN_ROWS = 1_000
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class _Answer:
    columns: list[str]
    rows: list[tuple[Any, ...]]


class _Unanswerable(Exception):
    """The query has no answer that can be shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("query", help=f"in DuckDB's SQL, on the tables of the schema {SCHEMA}")
    parser.add_argument(
        "--file", type=Path, default=_DEFAULT_FILE, help="the warehouse (default: .state/warehouse.duckdb)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="decimals, dates and times as text")
    form.add_argument("--csv", action="store_true", help="a null is an empty field")


def run(arguments: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    """Print the answer; 0."""
    show = _show_json if arguments.json else _show_csv if arguments.csv else _show_table
    try:
        show(_ask(arguments.file, arguments.query))
    except duckdb.Error as error:
        raise CommandFailed("unanswerable", first_lines(error)) from error
    except (_Unanswerable, ValueError) as error:
        raise CommandFailed("unanswerable", str(error)) from error
    return ExitStatus.DONE


def _ask(file: Path, query: str) -> _Answer:
    """All rows at once, so that a slow reader of the output keeps no load waiting."""
    if not file.exists():
        raise _Unanswerable(f"there is no warehouse at {file}: it is made when a first job has been cleaned")
    with open_file(file, time.monotonic() + _PATIENCE_SECONDS, read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        if not connection.extract_statements(query):
            raise _Unanswerable("the query is empty")
        result = connection.execute(query)
        return _Answer([column[0] for column in result.description or ()], result.fetchall())


def _show_json(answer: _Answer) -> None:
    if len(set(answer.columns)) < len(answer.columns):
        raise _Unanswerable("two columns have one name: name them with AS")
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    print(json.dumps(rows, ensure_ascii=False, allow_nan=False, default=str))


def _show_csv(answer: _Answer) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows(answer.rows)


def _show_table(answer: _Answer) -> None:
    table = Table(box=SIMPLE_HEAD)
    for column in answer.columns:
        table.add_column(Text(_visible(column)), overflow="fold")
    for row in answer.rows[:_SHOWN_ROWS]:
        table.add_row(*_cells(row))
    console = Console()
    if not console.is_terminal:
        # Nobody's screen ends: a file or a pipe gets each row whole.
        console.width = max(1, console.measure(table, options=console.options.update(width=1 << 20)).maximum)
    console.print(table)
    if len(answer.rows) > _SHOWN_ROWS:
        print(
            f"sql: the first {_SHOWN_ROWS} of {len(answer.rows)} rows; --csv and --json give all",
            file=sys.stderr,
        )


def _cells(row: Sequence[object]) -> list[Text]:
    return [Text("NULL", "dim") if value is None else Text(_visible(str(value))) for value in row]


def _visible(text: str) -> str:
    """Data must not steer the terminal."""
    return _CONTROL_CHARACTERS.sub(lambda found: ascii(found[0])[1:-1], text)
