"""The kernel beside `orjson.loads` of the same bytes: `python -m tests.benchmarks.kernel`.

Bronze bytes to all Parquet bytes in one process, without storage; each figure the best of a few runs that
alternate, so that both see the same machine.
"""

import argparse
import gc
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import orjson

from backend.transformations import parquet
from backend.transformations.bronze import BronzePart
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pandas_transforms import PandasTransformer
from tests.benchmarks.bronze_like_the_sample import bronze_like_the_sample

AS_OF = datetime(2026, 11, 22, 21, tzinfo=UTC)


def clean(content: bytes) -> int:
    """Silver, quarantine and every Gold table as Parquet; the bytes written."""
    transformer = PandasTransformer(ORDER_LINES, AS_OF)
    result = transformer.transform_to_silver([BronzePart("00000.json", content)])
    gold = transformer.transform_to_gold(result.silver)
    return sum(len(parquet.encode(table)) for table in (result.silver, result.quarantine, *gold.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    content = bronze_like_the_sample(arguments.records)
    seconds: dict[str, list[float]] = {"orjson.loads": [], "kernel": []}
    for _ in range(arguments.runs):
        seconds["orjson.loads"].append(_timed(orjson.loads, content))
        seconds["kernel"].append(_timed(clean, content))
    floor, kernel = min(seconds["orjson.loads"]), min(seconds["kernel"])
    print(f"{arguments.records} records, {len(content) / 1e6:.1f} MB, best of {arguments.runs}")
    print(f"orjson.loads  {floor * 1000:8.1f} ms")
    print(f"kernel        {kernel * 1000:8.1f} ms  {kernel / floor:.2f} times orjson.loads")
    print(f"              {arguments.records / kernel:8.0f} records a second")


def _timed(function: Callable[[bytes], Any], content: bytes) -> float:
    gc.collect()
    started = perf_counter()
    function(content)
    return perf_counter() - started


if __name__ == "__main__":
    main()
