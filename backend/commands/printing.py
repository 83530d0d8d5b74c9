"""How an answer is printed: JSON for programs, a table on a terminal, tabs in a pipe."""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from typing import Literal

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNITS = ("bytes", "kB", "MB", "GB")
_STEP = 1000


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--json`."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON document, and errors as JSON on stderr"
    )


def print_json(document: object) -> None:
    """The one document that a command prints with `--json`."""
    # In ASCII, which every terminal and pipe has.
    print(json.dumps(document, allow_nan=False))


def print_rows(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Sequence[str] = (),
    *,
    one_below_another: bool = False,
) -> None:
    """A table with its heads on a terminal; elsewhere a line for each row, its fields parted by tabs.

    Args:
        columns: the heads.
        rows: the fields of each, as they are to be read.
        right: the columns that are aligned to the right.
        one_below_another: how a row's fields are shown where the terminal is too narrow for the table.
    """
    shown = [[visible(field) for field in row] for row in rows]
    if not sys.stdout.isatty():
        for row in shown:
            print("\t".join(row))
    elif one_below_another and _width(columns, shown) > get_terminal_size().columns:
        _print_fields(columns, shown)
    else:
        _print_table(columns, shown, right)


def visible(text: str) -> str:
    """Text whose control characters are written out: data must not steer the terminal, nor part fields."""
    return _CONTROL_CHARACTERS.sub(lambda found: ascii(found[0])[1:-1], text)


def byte_size(number: int) -> str:
    """Such as "34.5 MB"."""
    size, unit = float(number), 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{number} {_UNITS[0]}"


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    # Only a terminal waits for it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        # What is long stands last. The others are there to be copied.
        table.add_column(Text(column), justify=justify, overflow="fold", no_wrap=column != columns[-1])
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def _print_fields(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    width = max(map(len, columns), default=0)
    for row in rows:
        for column, field in zip(columns, row, strict=True):
            print(f"{column:<{width}}  {field}")
        print()


def _width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """How wide the table is, with what stands between its columns."""
    return sum(2 + max(map(len, column)) for column in zip(columns, *rows, strict=True))
