"""Sample Bronze records: order lines of returning customers, some of them broken.

A dataset is an endless row of blocks. A block follows from the seed and its number alone, so that any
worker can make any stretch of the row. Beyond that, only the seed decides who the customers are and what
the catalogue holds.
"""

from typing import Any, cast

import numpy as np
import orjson

from backend.sample_data.faults import FAULT_DRAWS, broken, duplicate
from backend.sample_data.orders import BLOCK_RECORDS, OrderBlock

_STREAM = 4
_FAULT_DRAW_LIMIT = 1 << 30
_DUPLICATES_AMONG_FAULTS = 0.25


def generate_chunk(seed: int, first_record: int, record_count: int, error_rate: float) -> bytes:
    """One stretch of a sample dataset as a Bronze part: a JSON array in UTF-8.

    Args:
        seed: 0 or more; the same seed gives the same data.
        first_record: the 0-based place of the first record in the dataset.
        record_count: how many records.
        error_rate: the share of records with something wrong, 0 to 1. With 0, every record cleans
            without an issue.
    """
    records: list[Any] = []
    end = first_record + record_count
    for number in range(first_record // BLOCK_RECORDS, -(-end // BLOCK_RECORDS)):
        start = number * BLOCK_RECORDS
        block = _Block(seed, number, error_rate)
        records.extend(
            block.record(place)
            for place in range(max(first_record - start, 0), min(end - start, BLOCK_RECORDS))
        )
    return orjson.dumps(records)


def generate_records(seed: int, first_record: int, record_count: int, error_rate: float) -> list[Any]:
    """The records of `generate_chunk`, decoded."""
    return cast("list[Any]", orjson.loads(generate_chunk(seed, first_record, record_count, error_rate)))


class _Block:
    """The records of one block as a dataset with errors has them."""

    def __init__(self, seed: int, number: int, error_rate: float) -> None:
        rng = np.random.default_rng([seed, _STREAM, number])
        self._clean = OrderBlock(seed, number)
        self._faulty = (rng.random(BLOCK_RECORDS) < error_rate).tolist()
        self._is_duplicate = (rng.random(BLOCK_RECORDS) < _DUPLICATES_AMONG_FAULTS).tolist()
        self._draws = rng.integers(0, _FAULT_DRAW_LIMIT, (BLOCK_RECORDS, FAULT_DRAWS)).tolist()

    def record(self, place: int) -> Any:
        """The record at a place of the block: clean, said before, or broken."""
        if not self._faulty[place]:
            return self._clean.record(place)
        draws = self._draws[place]
        if self._is_duplicate[place] and place > 0:
            return duplicate(self._clean.record(draws[0] % place), draws)
        return broken(orjson.loads(orjson.dumps(self._clean.record(place))), draws)
