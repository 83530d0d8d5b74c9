"""This project's kernel with a contract that declares no more than the rivals do."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.transformations import parquet
from backend.transformations.bronze import BronzePart
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pandas_transforms import PandasTransformer
from tests.benchmarks.comparison.subset import QUARANTINE, SILVER, SILVER_COLUMNS, USERS
from tests.benchmarks.comparison.ways.pandas_path import AS_OF

CONTRACT = replace(
    ORDER_LINES,
    columns=tuple(column for column in ORDER_LINES.columns if column.name in SILVER_COLUMNS),
    references=(),
)


def clean(parts: Sequence[Path], out: Path) -> None:
    """Write Silver, the quarantine and the figures of users."""
    read = (BronzePart(part.name, part.read_bytes()) for part in parts)
    result = PandasTransformer(CONTRACT, AS_OF).transform_to_silver(read)
    for name, table in (
        (SILVER, result.silver),
        (QUARANTINE, result.quarantine),
        (USERS, _users(result.silver)),
    ):
        pq.write_table(table, out / name, compression=parquet.COMPRESSION)


def _users(silver: pa.Table) -> pa.Table:
    paid = pc.if_else(pc.equal(silver["payment_status"], "success"), silver["line_amount"], None)
    grouped = silver.append_column("paid", paid).group_by("user_id")
    users = grouped.aggregate([("order_id", "count_distinct"), ("quantity", "sum"), ("paid", "sum")])
    nothing = pa.scalar(Decimal(0), pa.decimal128(18, 2))
    return pa.table(
        {
            "user_id": users["user_id"],
            "order_count": users["order_id_count_distinct"],
            "units": pc.fill_null(users["quantity_sum"], 0),
            "total_spent": pc.fill_null(users["paid_sum"].cast(pa.decimal128(18, 2)), nothing),
        }
    )
