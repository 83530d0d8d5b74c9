"""A gate for the kernel's speed: beside `orjson.loads` of the same bytes in one process, never in seconds."""

import gc
from collections.abc import Callable
from time import process_time
from typing import Any

import orjson

from tests.benchmarks.bronze_like_the_sample import bronze_like_the_sample
from tests.benchmarks.kernel import clean

_RECORDS = 3_000
_ROUNDS = 20
# It is 1.9 on a quiet machine, and at most 2.2 beside others' work (docs/BENCHMARKS.md).
_MOST = 2.8


def _processor_seconds(function: Callable[[bytes], Any], content: bytes) -> float:
    gc.collect()
    began = process_time()
    function(content)
    return process_time() - began


def test_the_kernel_takes_a_few_times_what_decoding_alone_takes() -> None:
    content = bronze_like_the_sample(_RECORDS)
    clean(content)
    rounds = [
        (_processor_seconds(orjson.loads, content), _processor_seconds(clean, content))
        for _ in range(_ROUNDS)
    ]
    floor, kernel = (min(seconds) for seconds in zip(*rounds, strict=True))
    assert kernel / floor < _MOST
