"""The same Bronze bytes for every way, made from a seed, with their SHA-256."""

import hashlib
import json
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.benchmarks.bronze_like_the_sample import bronze_like_the_sample

PART_RECORDS = 10_000
_DUPLICATES = 0.02
_WITHOUT_ORDER = 0.01


def bronze_parts(folder: Path, records: int) -> list[Path]:
    """The first parts of one endless dataset; those that are not there are made."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [folder / f"{number:05d}.json" for number in range(-(-records // PART_RECORDS))]
    with ProcessPoolExecutor() as pool:
        list(pool.map(make_part, [part for part in parts if not part.exists()]))
    return parts


def digest(parts: Sequence[Path]) -> str:
    """The SHA-256 of all parts, one after another."""
    content = hashlib.sha256()
    for part in parts:
        content.update(part.read_bytes())
    return content.hexdigest()


def make_part(part: Path, count: int = PART_RECORDS) -> None:
    """Write a part of so many records, the same for the same name."""
    seed = int(part.stem)
    chance = random.Random(seed)
    records = json.loads(bronze_like_the_sample(count, seed))
    for place in chance.sample(range(1, len(records)), round(len(records) * _DUPLICATES)):
        # As a shop sends an order line once more, updated on a later day.
        again = json.loads(json.dumps(records[place - 1]))
        again["order"]["updated_at"] = "2026-12-31 08:00:00.000001"
        records[place] = again
    for place in chance.sample(range(len(records)), round(len(records) * _WITHOUT_ORDER)):
        records[place]["order"]["id"] = None
    part.write_text(json.dumps(records))
