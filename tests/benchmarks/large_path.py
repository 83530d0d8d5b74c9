"""The large path beside the plain Spark way, ten times the records, one core and pandas.

`python -m tests.benchmarks.large_path`: Bronze files of the sample's shape, 10,000 records a part, to every
Silver and Gold file. Each figure comes from a process of its own whose session has been warmed with one run.
"""

import argparse
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from backend.adapters.local_folder import LocalFiles, LocalFolder
from backend.adapters.local_spark import local_session
from backend.lake_paths import FOLDER_OUTPUTS
from backend.services.dataset_cleaning import clean_dataset
from backend.services.outputs import OutputWriter
from backend.services.spark_dataset_cleaning import SparkRun, clean_dataset_with_spark
from backend.transformations.bronze import BronzePart
from backend.transformations.pyspark_transforms import SparkPart
from tests.benchmarks.bronze_like_the_sample import bronze_like_the_sample
from tests.benchmarks.memory import MemoryWatch
from tests.benchmarks.plain_spark import clean_plainly, plain_session

AS_OF = datetime(2026, 11, 22, 21, tzinfo=UTC)
PART_RECORDS = 10_000
_WARM_UP_PARTS = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """The best of some runs.

    Attributes:
        peak_bytes: of memory, over the process and all that it started, shared pages counted once.
        process_peaks: the same by what the process is.
    """

    seconds: float
    peak_bytes: int
    process_peaks: dict[str, int]


Clean = Callable[[Sequence[Path], Path], None]
Engine = Callable[[Path, int], AbstractContextManager[Clean]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--crossover", action="store_true", help="find where Spark overtakes pandas instead")
    parser.add_argument("--folder", type=Path, help="where Bronze is made, or lies already from a run before")
    arguments = parser.parse_args()
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if arguments.crossover:
            _crossover(folder, cores, arguments.runs)
        else:
            _compare(folder, arguments.records, cores, arguments.runs)


def _compare(folder: Path, records: int, cores: int, runs: int) -> None:
    few, many = _bronze(folder, records), _bronze(folder, 10 * records)
    ours = _measured(_spark, few, cores, runs)
    print(f"{records} records, {cores} cores: {_told(ours, records)}")
    plain = _measured(_plain_spark, few, cores, runs)
    print(f"the plain Spark way: {_told(plain, records)}; {plain.seconds / ours.seconds:.1f} times as long")
    one = _measured(_spark, few, 1, runs)
    print(f"1 core: {_told(one, records)}; {one.seconds / ours.seconds:.2f} times as long")
    ten = _measured(_spark, many, cores, 1)
    time, memory = ten.seconds / ours.seconds, ten.peak_bytes / ours.peak_bytes
    print(f"{10 * records} records: {_told(ten, 10 * records)}")
    print(f"that is {time:.1f} times as long, in {memory:.2f} times the memory")


def _crossover(folder: Path, cores: int, runs: int) -> None:
    for records in (10_000, 50_000, 100_000, 400_000):
        parts = _bronze(folder, records)
        small = _measured(_pandas, parts, 1, runs)
        large = _measured(_spark, parts, cores, runs)
        print(f"{records} records: pandas {_told(small, records)}")
        print(f"{' ' * len(str(records))}          pyspark {_told(large, records)}")


def _told(figures: Figures, records: int) -> str:
    peaks = ", ".join(f"{name} {peak / 2**20:.0f}" for name, peak in sorted(figures.process_peaks.items()))
    return (
        f"{figures.seconds:.2f} s, {records / figures.seconds:.0f} a second, "
        f"peak {figures.peak_bytes / 2**20:.0f} MiB ({peaks})"
    )


def _measured(engine: Engine, parts: Sequence[Path], cores: int, runs: int) -> Figures:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_run, engine, parts, cores, runs).result()


def _run(engine: Engine, parts: Sequence[Path], cores: int, runs: int) -> Figures:
    if hasattr(os, "sched_setaffinity"):
        # Else the virtual machine's own threads would have the other cores to themselves.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder), cores) as clean:
        clean(parts[:_WARM_UP_PARTS], _made(Path(folder) / "warm-up"))
        seconds = []
        with MemoryWatch() as memory:
            for run in range(runs):
                out = _made(Path(folder) / str(run))
                started = perf_counter()
                clean(parts, out)
                seconds.append(perf_counter() - started)
        return Figures(min(seconds), memory.peak, memory.by_process)


@contextmanager
def _spark(folder: Path, cores: int) -> Iterator[Clean]:
    spark = local_session(folder, str(cores))

    def clean(parts: Sequence[Path], out: Path) -> None:
        in_order = [SparkPart(part.name, str(part), part.stat().st_size) for part in parts]
        run = SparkRun(spark, LocalFiles(out), FOLDER_OUTPUTS)
        clean_dataset_with_spark(run, "benchmark", AS_OF, in_order, _unwatched)

    yield clean
    spark.stop()


@contextmanager
def _plain_spark(folder: Path, cores: int) -> Iterator[Clean]:
    spark = plain_session(folder, cores)
    yield lambda parts, out: clean_plainly(spark, parts, out)
    spark.stop()


@contextmanager
def _pandas(folder: Path, cores: int) -> Iterator[Clean]:
    def clean(parts: Sequence[Path], out: Path) -> None:
        read = (BronzePart(part.name, part.read_bytes()) for part in parts)
        writer = OutputWriter(LocalFolder(out), FOLDER_OUTPUTS)
        clean_dataset("benchmark", AS_OF, read, writer, _unwatched)

    yield clean


def _unwatched(stage: str, done: int) -> None:
    """Nobody is told of the progress."""


def _bronze(folder: Path, records: int) -> list[Path]:
    """The first parts of one endless dataset; those that are not there are made."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [folder / f"{number:05d}.json" for number in range(-(-records // PART_RECORDS))]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_make_part, [part for part in parts if not part.exists()]))
    return parts


def _make_part(part: Path) -> None:
    part.write_bytes(bronze_like_the_sample(PART_RECORDS, seed=int(part.stem)))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
