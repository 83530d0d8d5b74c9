"""`python -m backend tables`: the tables of a job, their first rows, or one of them as a file."""

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from backend.client.api_client import ApiClient
from backend.command_line import CommandFailed, ExitStatus
from backend.commands.printing import byte_size, print_json, print_rows
from backend.commands.service_access import add_job_argument, add_service_arguments, connect, path_segment

EXAMPLES = (
    "tables JOB",
    "tables JOB agg_product_metrics --limit 5",
    "tables JOB silver --output silver.parquet",
    "tables JOB fact_orders --output fact_orders.csv --force --json",
)

_FORMATS = {".csv": "csv", ".parquet": "parquet"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_job_argument(parser, "the id of a job that is cleaned")
    parser.add_argument(
        "table", metavar="TABLE", type=path_segment, nargs="?", help="silver, quarantine or a Gold table"
    )
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="rows (default: %(default)s)")
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="download the whole table into FILE.csv or FILE.parquet"
    )
    parser.add_argument("--force", action="store_true", help="write over a FILE that is there")
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the tables, or the first rows of one, or write it to a file; 0. Bad usage exits with 2."""
    if arguments.output is not None:
        if arguments.table is None:
            parser.error("--output needs a TABLE")
        if arguments.output.suffix not in _FORMATS:
            parser.error("--output takes a name that ends in .csv or .parquet")
    api = connect(arguments)
    if arguments.table is None:
        _list_tables(api, arguments)
    elif arguments.output is None:
        _show_table(api, arguments)
    else:
        _download(api, arguments)
    return ExitStatus.DONE


def _list_tables(api: ApiClient, arguments: argparse.Namespace) -> None:
    job = api.get(f"/jobs/{arguments.job}")
    outputs = job["outputs"]
    if arguments.json:
        print_json({"jobId": job["jobId"], "status": job["status"], "tables": outputs})
        return
    if not outputs:
        raise CommandFailed("not_cleaned", f"job {job['jobId']} has no tables yet: it is {job['status']}")
    rows = [(output["table"], str(output["rows"]), str(output["bytes"])) for output in outputs]
    print_rows(("table", "rows", "bytes"), rows, right=("rows", "bytes"))


def _show_table(api: ApiClient, arguments: argparse.Namespace) -> None:
    answer = api.get(f"/jobs/{arguments.job}/tables/{arguments.table}", limit=arguments.limit)
    if arguments.json:
        print_json(answer)
        return
    columns = [column["name"] for column in answer["columns"]]
    rows = [[_field(row[column]) for column in columns] for row in answer["rows"]]
    print_rows(columns, rows, one_below_another=True)


def _download(api: ApiClient, arguments: argparse.Namespace) -> None:
    target: Path = arguments.output
    path = f"/jobs/{arguments.job}/tables/{arguments.table}"
    written = 0
    try:
        with (
            _new_file(target, overwrite=arguments.force) as file,
            api.download(path, format=_FORMATS[target.suffix]) as pieces,
        ):
            for piece in pieces:
                written += file.write(piece)
    except OSError as error:
        raise CommandFailed("file_error", f"{target}: {error.strerror or error}") from error
    if arguments.json:
        print_json({"table": arguments.table, "file": str(target), "bytes": written})
    else:
        print(f"{target}: {byte_size(written)}")


@contextmanager
def _new_file(target: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """A file that has its name only when it is whole.

    Raises:
        CommandFailed: there is one of that name, and it is not to be written over.
    """
    if target.exists() and not overwrite:
        raise CommandFailed("file_exists", f"{target} is there already: --force writes over it")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with unfinished.open("xb") as file:
            yield file
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _field(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
