"""Gold for tests that load it: tables of the kernel's own making, or made up row by row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.sample_data.generator import generate_chunk
from backend.transformations.bronze import BronzePart
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pandas_transforms import PandasTransformer
from tests.transformations.reference.schemas import GOLD_TABLES, SCHEMAS

AS_OF = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


@dataclass(frozen=True)
class ArrowGoldTable:
    """Implements `GoldTable` with a table in memory; `rows` may be told wrong on purpose."""

    name: str
    content: pa.Table
    rows: int
    files: tuple[str, ...] = ()

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.content.to_batches(8192)


def gold_tables(tables: Mapping[str, pa.Table]) -> list[ArrowGoldTable]:
    """Every Gold table, empty where none is given."""
    complete = {name: tables.get(name, SCHEMAS[name].empty_table()) for name in GOLD_TABLES}
    return [ArrowGoldTable(name, table, table.num_rows) for name, table in complete.items()]


def gold_of_rows(**rows: list[dict[str, Any]]) -> list[ArrowGoldTable]:
    """Gold with some rows; what a row does not name is null."""
    return gold_tables({name: pa.Table.from_pylist(each, SCHEMAS[name]) for name, each in rows.items()})


def gold_of_records(count: int, seed: int = 1) -> dict[str, pa.Table]:
    """The Gold of so many sample records."""
    transformer = PandasTransformer(ORDER_LINES, AS_OF)
    parts = [
        BronzePart(f"{start}.json", generate_chunk(seed, start, min(10_000, count - start), 0.05))
        for start in range(0, count, 10_000)
    ]
    return dict(transformer.transform_to_gold(transformer.transform_to_silver(parts).silver))


def write_gold(tables: Mapping[str, pa.Table], folder: Path) -> None:
    """Write each table as a Parquet file, for another process."""
    folder.mkdir()
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")


def read_gold(folder: Path) -> list[ArrowGoldTable]:
    """What `write_gold` wrote."""
    return gold_tables({path.stem: pq.read_table(path) for path in folder.iterdir()})
