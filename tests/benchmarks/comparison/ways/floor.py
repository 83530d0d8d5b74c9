"""The floor: JSON decoded by the fastest libraries, alone or with Silver of the same size written."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import msgspec
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.comparison.ways.pandas_path import clean_completely

_SILVER = "silver.parquet"

# The fields that the contract reads; the others are skipped.
_Scalar = str | int | float | None


class _Entity(msgspec.Struct):
    id: _Scalar = None
    name: _Scalar = None
    email: _Scalar = None
    price: _Scalar = None
    quantity: _Scalar = None
    create_time: _Scalar = None
    updated_at: _Scalar = None


class _Record(msgspec.Struct):
    user: _Entity | None = None
    address: _Entity | None = None
    product: _Entity | None = None
    products_sku: _Entity | None = None
    payment: _Entity | None = None
    order: _Entity | None = None
    order_item: _Entity | None = None


def decoding_alone(parts: Sequence[Path], _out: Path) -> None:
    """Decode everything into Python's own objects, and write nothing."""
    for part in parts:
        orjson.loads(part.read_bytes())


def with_orjson(parts: Sequence[Path], out: Path) -> None:
    """Decode everything into Python's own objects."""
    _floor(orjson.loads, parts, out)


def with_msgspec(parts: Sequence[Path], out: Path) -> None:
    """Decode the fields that are read, and skip the others."""
    _floor(msgspec.json.Decoder(list[_Record]).decode, parts, out)


def _floor(decode: Callable[[bytes], object], parts: Sequence[Path], out: Path) -> None:
    silver = out.parent / _SILVER
    if not silver.exists():
        # In the first run, which warms and is not measured.
        made = out.parent / "made"
        made.mkdir()
        clean_completely(parts, made)
        (made / _SILVER).rename(silver)
    for part in parts:
        decode(part.read_bytes())
    pq.write_table(_held(silver), out / _SILVER, compression="snappy")


@cache
def _held(silver: Path) -> pa.Table:
    return pq.read_table(silver)
