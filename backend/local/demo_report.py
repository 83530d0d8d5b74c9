"""What the demo shows: a moving bar on a terminal, plain lines in a log."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_PLAIN_WIDTH = 100
# What fits a line of 100 characters, of tables that are wider.
_COLUMNS = {
    "agg_product_metrics": (
        "product_name",
        "category_name",
        "order_count",
        "units_sold",
        "revenue",
        "average_unit_price",
    ),
    "agg_user_metrics": (
        "user_id",
        "order_count",
        "units",
        "total_spent",
        "refunded_amount",
        "average_order_value",
    ),
}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

_Json = dict[str, Any]


class DemoReport:
    """Says on standard output what the demo does."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        if not self._console.is_terminal:
            self._console.width = _PLAIN_WIDTH

    def submitted(self, submission: _Json, answer: _Json) -> None:
        """The job has been accepted."""
        self._line(f"\nPOST /clean_data {json.dumps(submission)}")
        self._line(f"  job {answer['jobId']} on {answer['queueName']} ({answer['processingPath']})")

    @contextmanager
    def progress(self) -> Iterator[Callable[[_Json], None]]:
        """What to call with every new state of the job."""
        if not self._console.is_terminal:
            yield self._plain_progress()
            return
        columns = (
            TextColumn("  {task.description:<28}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
        )
        with Progress(*columns, TimeElapsedColumn(), console=self._console) as bar:
            task = bar.add_task("queued", total=100)

            def show(job: _Json) -> None:
                bar.update(task, description=_activity(job), completed=job["progress"]["percent"])

            yield show

    def _plain_progress(self) -> Callable[[_Json], None]:
        shown = ""

        def show(job: _Json) -> None:
            nonlocal shown
            line = f"  {_activity(job):<28} {job['progress']['percent']:>3.0f}%"
            if line != shown:
                shown = line
                self._line(line)

        return show

    def finished(self, job: _Json, seconds: float) -> None:
        """The job has ended well: its counts, and where its outputs lie."""
        counts = job["counts"]
        self._line(
            f"\nCompleted in {seconds:.1f} s. {counts['recordsIn']:,} records in ="
            f" {counts['silverRows']:,} in Silver + {counts['duplicatesRemoved']:,} duplicates"
            f" + {counts['quarantined']:,} quarantined. Mean quality score {job['qualityScore']:.1f} of 100."
        )
        self._line("\nEvery output, in the container datalake:")
        for output in job["outputs"]:
            self._line(f"  {output['table']:<20} {output['rows']:>6,} rows  {output['path']}")

    def table(self, name: str, rows: Sequence[_Json]) -> None:
        """The first rows of a table."""
        self._line(f"\n{name}")
        table = Table(box=None, padding=(0, 1))
        for column in _COLUMNS[name]:
            numeric = all(_NUMBER.fullmatch(_shown(row[column])) for row in rows)
            justify: Literal["left", "right"] = "right" if numeric else "left"
            table.add_column(column, justify=justify, no_wrap=True, overflow="ellipsis", max_width=26)
        for row in rows:
            table.add_row(*(_shown(row[column]) for column in _COLUMNS[name]))
        self._console.print(table)

    def next_steps(self, url: str, account: _Json, token: str, job: _Json) -> None:
        """Where to look next, and what to type. The account has nothing but the demo's sample data."""
        job_url = f"{url}/jobs/{job['jobId']}"
        self._line(
            f"\nLook at it at {url}/ (log in as {account['username']}, password {account['password']}),\n"
            "or from a shell; the token is good for 15 minutes, and POST /register makes you an account:\n"
            f"  TOKEN={token}\n"
            f'  curl -H "Authorization: Bearer $TOKEN" {job_url}/quality\n'
            f'  curl -H "Authorization: Bearer $TOKEN" "{job_url}/tables/dim_users?format=csv"\n'
            f'  curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"'
            f" -d '{{\"dataCount\": 1000}}' {url}/clean_data\n"
            f"  Every call is described at {url}/docs"
        )

    def _line(self, text: str) -> None:
        # Whole lines, however long: paths and tokens are there to be copied.
        self._console.print(text, soft_wrap=True, markup=False)


def _activity(job: _Json) -> str:
    return str(job["stage"] or job["status"])


def _shown(value: object) -> str:
    return "" if value is None else str(value)
