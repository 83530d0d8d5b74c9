"""What a job's Gold shows at a glance: orders and revenue by day, top products, users by country.

Imports Arrow, so only who shows figures imports this.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from backend.services.table_reading import TableReader
from backend.transformations.manifest import Output

_PAID = "success"
_NO_COUNTRY = "unknown"


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day's orders, and what was paid for them. Days are of order_created_at, in UTC."""

    day: date
    orders: int
    revenue: Decimal


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """A product's sales, as `agg_product_metrics` has them."""

    product: str
    units_sold: int
    revenue: Decimal


@dataclass(frozen=True, slots=True)
class GoldFigures:
    """Days in order; products and countries greatest first."""

    days: tuple[DayFigures, ...]
    products: tuple[ProductFigures, ...]
    countries: tuple[tuple[str, int], ...]


class GoldFigureReader:
    """Reads figures out of a job's Gold tables, of each only the columns that it needs."""

    def __init__(self, tables: TableReader) -> None:
        self._tables = tables

    def read(
        self, orders: Output, products: Output, users: Output, *, most_products: int, most_countries: int
    ) -> GoldFigures:
        """The figures of `fact_orders`, `agg_product_metrics` and `dim_users`."""
        return GoldFigures(
            days=self._days(orders),
            products=self._products(products, most_products),
            countries=self._countries(users, most_countries),
        )

    def _days(self, orders: Output) -> tuple[DayFigures, ...]:
        columns = ("order_id", "order_created_at", "payment_status", "line_amount")
        lines = pa.Table.from_batches(_line(batch) for batch in self._tables.batches(orders.files, columns))
        days = lines.group_by("day").aggregate([("order_id", "count_distinct"), ("revenue", "sum")])
        return tuple(
            DayFigures(row["day"], row["order_id_count_distinct"], row["revenue_sum"] or Decimal(0))
            for row in days.sort_by("day").to_pylist()
            if row["day"] is not None
        )

    def _products(self, products: Output, most: int) -> tuple[ProductFigures, ...]:
        columns = ("product_id", "product_name", "units_sold", "revenue")
        table = pa.Table.from_batches(self._tables.batches(products.files, columns))
        best = table.sort_by([("revenue", "descending"), ("product_id", "ascending")]).slice(0, most)
        return tuple(
            ProductFigures(row["product_name"] or row["product_id"], row["units_sold"], row["revenue"])
            for row in best.to_pylist()
        )

    def _countries(self, users: Output, most: int) -> tuple[tuple[str, int], ...]:
        counts: Counter[str] = Counter()
        for batch in self._tables.batches(users.files, ("country",)):
            for each in batch.column("country").value_counts().to_pylist():
                counts[each["values"] or _NO_COUNTRY] += each["counts"]
        return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])


def _line(batch: pa.RecordBatch) -> pa.RecordBatch:
    """An order line's day, and its amount where that was paid."""
    paid = pc.equal(batch.column("payment_status"), _PAID)
    return pa.RecordBatch.from_pydict(
        {
            "day": batch.column("order_created_at").cast(pa.date32()),
            "order_id": batch.column("order_id"),
            "revenue": pc.if_else(paid, batch.column("line_amount"), None),
        }
    )
