"""This project beside its rivals: `python -m tests.benchmarks.comparison [--records N …] [--runs N]`.

Every way has a process of its own, which is warmed with one run; then the ways take turns, so that all of
them see the same machine, and each runs once more while its memory is watched. After each run its outputs are
compared with this project's, and a difference ends it all.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.benchmarks.comparison.bronze import bronze_parts, digest
from tests.benchmarks.comparison.catalogue import DECODING, SMALL_PATH, WAYS, Way
from tests.benchmarks.comparison.equality import NotEqual, check_equal
from tests.benchmarks.comparison.report import Measured, Result, table
from tests.benchmarks.report import write_section

_ROOT = Path(__file__).resolve().parents[3]
_RIVALS_PYTHON = _ROOT / ".tools" / "bench" / "bin" / "python"


class Run(NamedTuple):
    """Where the outputs of one run are, and what it took; the peak of memory only where that was watched."""

    out: Path
    seconds: float
    processor_seconds: float
    peak_bytes: int


class Contender:
    """One way in its process; a context manager."""

    def __init__(self, name: str, folder: Path, parts: Sequence[Path]) -> None:
        self.name = name
        self.way: Way = WAYS[name]
        self.runs: list[Run] = []
        python = _RIVALS_PYTHON if self.way.own_packages else Path(sys.executable)
        folder.mkdir(parents=True)
        self._errors = (folder / "errors.log").open("w")
        self._process = subprocess.Popen(
            [python, "-m", "tests.benchmarks.comparison.worker", name, folder, *parts],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=_ROOT,
            env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
        )

    def __enter__(self) -> Self:
        self._answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        self._errors.close()

    def run(self, *, watched: bool = False) -> Run:
        """Clean once."""
        assert self._process.stdin is not None
        self._process.stdin.write("watched\n" if watched else "timed\n")
        self._process.stdin.flush()
        answer = self._answer()
        return Run(Path(answer["out"]), answer["seconds"], answer["processorSeconds"], answer["peakBytes"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended: {Path(self._errors.name).read_text()[-5000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY")
    parser.add_argument("--folder", type=Path, help="where Bronze is made, or lies already from a run before")
    parser.add_argument("--write", action="store_true", help="write the table into docs/BENCHMARKS.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        bronze = arguments.folder or Path(temporary) / "bronze"
        results = []
        for records in arguments.records:
            parts = bronze_parts(bronze, records)
            results.append(compare(arguments.ways, records, parts, arguments.runs, Path(temporary)))
            print(table(results[-1:], DECODING, SMALL_PATH), flush=True)
    if arguments.write:
        write_section("comparison", table(results, DECODING, SMALL_PATH))


def compare(names: Sequence[str], records: int, parts: Sequence[Path], runs: int, folder: Path) -> Result:
    """Run the ways in turns on the same parts.

    Raises:
        NotEqual: one of them has written other rows than the pandas path.
    """
    taking_part = [name for name in names if records <= WAYS[name].most_records]
    with ExitStack() as stack:
        contenders = [
            stack.enter_context(Contender(name, folder / str(records) / name, parts)) for name in taking_part
        ]
        reference = folder / str(records) / "reference"
        _warm(contenders, reference)
        for _ in range(runs):
            for contender in contenders:
                contender.runs.append(run := contender.run())
                _check(contender, reference, run.out)
                print(f"{contender.name}: {run.seconds:.2f} s", flush=True)
        measured = [_measured(contender, reference) for contender in contenders]
    return Result(
        records,
        sum(part.stat().st_size for part in parts) / 1e6,
        digest(parts),
        runs,
        measured,
        [WAYS[name].title for name in names if name not in taking_part],
    )


def _warm(contenders: Sequence[Contender], reference: Path) -> None:
    """Run each once; what the pandas path makes is what all are compared with."""
    for contender in sorted(contenders, key=lambda each: each.name != SMALL_PATH):
        out = contender.run().out
        if contender.name == SMALL_PATH:
            out.rename(reference)
        else:
            _check(contender, reference, out)


def _measured(contender: Contender, reference: Path) -> Measured:
    watched = contender.run(watched=True)
    _check(contender, reference, watched.out)
    return Measured(
        contender.name,
        median(run.seconds for run in contender.runs),
        median(run.processor_seconds for run in contender.runs),
        watched.peak_bytes,
    )


def _check(contender: Contender, reference: Path, out: Path) -> None:
    if contender.way.compared != "nothing":
        try:
            check_equal(reference, out, contender.way)
        except NotEqual as error:
            raise NotEqual(f"{contender.name}: {error}") from error
    shutil.rmtree(out)


if __name__ == "__main__":
    main()
