"""Made-up datasets through both engines: `python -m tests.transformations.parity --datasets 1000`.

What the tests do with a few datasets, for as many as one has time for; other ones with every run, unless it
is given the seed of an earlier one.
"""

import argparse
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from backend.adapters.local_spark import local_session
from backend.domain.jobs import Counts
from backend.transformations.pyspark_transforms import Sizes
from tests.transformations import strategies
from tests.transformations.engines import clean_with_pandas, clean_with_pyspark
from tests.transformations.reference.comparison import assert_schema, rows_of

# As usual, and so small that datasets of a few rows are spread over many tasks, files and row groups.
spreads = st.sampled_from(
    (None, Sizes(task=1, greatest_file=4_000, least_file=1_000, bucket=2_000, table_file=600, chunk_rows=4))
)


@contextmanager
def parity_session(folder: Path, cores: str = "*") -> Iterator[SparkSession]:
    """A session for datasets of a few rows, for which compiling a plan would be most of the time."""
    session = local_session(folder, cores)
    session.conf.set("spark.sql.codegen.wholeStage", "false")
    session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    yield session
    session.stop()


def assert_parity(
    spark: SparkSession, parts: strategies.Dataset, as_of: datetime, sizes: Sizes | None = None
) -> Counts:
    """Clean a dataset with both engines: the same rows, of the same types, and the same counts."""
    expected, counts = clean_with_pandas(parts, as_of)
    with tempfile.TemporaryDirectory() as folder:
        tables, cleaned = clean_with_pyspark(spark, Path(folder), parts, as_of, sizes)
    assert cleaned.counts == counts
    for name, table in tables.items():
        assert_schema(table, name)
        assert sorted(map(repr, rows_of(table))) == sorted(map(repr, rows_of(expected[name]))), name
    return counts


def main() -> int:
    """Run as many datasets as the command line says; 0 when all are equal."""
    parser = argparse.ArgumentParser(prog="parity", description="Made-up datasets through both engines.")
    parser.add_argument("--datasets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--processes", type=int, default=2, help="each with a Spark of one core")
    options = parser.parse_args()
    began = time.monotonic()
    shares = [
        options.datasets // options.processes + (number < options.datasets % options.processes)
        for number in range(options.processes)
    ]
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        seen: Counter[str] = Counter()
        for found in pool.map(_compare, shares, range(options.seed, options.seed + options.processes)):
            seen.update(found)
    print(f"{datetime.now(UTC):%Y-%m-%d}, seed {options.seed}, {time.monotonic() - began:.0f} s:")
    for what, count in seen.items():
        print(f"{count:8} {what}")
    return 0


def _compare(datasets: int, number: int) -> Counter[str]:
    """Compare that many datasets; what was in them."""
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, parity_session(Path(folder), "1") as spark:

        @seed(number)
        @settings(
            max_examples=datasets, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
        )
        @given(strategies.datasets(), strategies.as_ofs, spreads)
        def compare(parts: strategies.Dataset, as_of: datetime, sizes: Sizes | None) -> None:
            counts = assert_parity(spark, parts, as_of, sizes)
            seen["datasets with equal tables"] += 1
            seen["of them spread over several files"] += sizes is not None
            seen["with duplicates"] += counts.duplicates_removed > 0
            seen["with a quarantine"] += counts.quarantined > 0
            seen["without a Silver row"] += counts.silver_rows == 0
            seen["records"] += counts.records_in

        compare()
    return seen


if __name__ == "__main__":
    sys.exit(main())
