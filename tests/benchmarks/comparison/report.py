"""The table of the comparison."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.comparison.catalogue import WAYS


@dataclass(frozen=True)
class Measured:
    """What one way took.

    Attributes:
        seconds: the median of its runs.
        processor_seconds: the same of what all cores together worked for it.
        peak_bytes: the most memory that it held in a further run.
    """

    way: str
    seconds: float
    processor_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Result:
    """All ways on the same number of records."""

    records: int
    megabytes: float
    digest: str
    runs: int
    measured: Sequence[Measured]
    left_out: Sequence[str]


_COLUMNS = (
    "way",
    "does",
    "seconds",
    "of the cores",
    "times orjson.loads",
    "times the pandas path",
    "records/s",
    "peak MiB",
    "growth",
)
_HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|"


def table(results: Sequence[Result], floor: str, ours: str) -> str:
    """One table for each number of records; `growth` is the time beside that of the number before."""
    lines: list[str] = []
    before: Result | None = None
    for result in results:
        seconds = {measured.way: measured.seconds for measured in result.measured}
        earlier = {} if before is None else {measured.way: measured.seconds for measured in before.measured}
        lines += [
            _heading(result),
            "",
            _HEAD,
            *(_row(each, result.records, seconds, earlier, floor, ours) for each in result.measured),
            "",
        ]
        lines += (
            [f"Left out, so that everything takes an hour: {'; '.join(result.left_out)}.", ""]
            if result.left_out
            else []
        )
        before = result
    return "\n".join(lines)


def _heading(result: Result) -> str:
    return (
        f"**{result.records:,} records**, {result.megabytes:.0f} MB, SHA-256 `{result.digest[:16]}…`;"
        f" the median of {result.runs} runs after a warm-up, in turns."
    )


def _row(
    measured: Measured,
    records: int,
    seconds: dict[str, float],
    earlier: dict[str, float],
    floor: str,
    ours: str,
) -> str:
    way = WAYS[measured.way]
    grown = f"{measured.seconds / earlier[measured.way]:.1f}" if measured.way in earlier else ""
    cells = (
        way.title,
        way.does,
        f"{measured.seconds:.2f}",
        f"{measured.processor_seconds:.2f}",
        f"{measured.seconds / seconds[floor]:.2f}",
        f"{measured.seconds / seconds[ours]:.2f}",
        f"{records / measured.seconds:,.0f}",
        f"{measured.peak_bytes / 2**20:,.0f}",
        grown,
    )
    return f"| {' | '.join(cells)} |"
