"""The Gold tables as databases see them: each column's kind, each text's limit, each table's natural key.

What the columns mean is data.md's, section 4; a test holds names and kinds to the files that are written.
Imports no Arrow: the API reads the tables without it.
"""

from dataclasses import dataclass
from enum import Enum

KEY_LENGTH = 255
"""Of texts in a key: four of them and the owner's have to fit MySQL's 3,072 bytes."""

TEXT_LENGTH = 1_000
"""Of other texts that the contract leaves open."""


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    INT32 = "int32"
    INT64 = "int64"
    DOUBLE = "double"
    MONEY = "decimal(12,2)"
    MONEY_SUM = "decimal(18,2)"
    DATE = "date"
    INSTANT = "instant"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class GoldColumn:
    """A column. `length` is a text's greatest number of characters."""

    name: str
    kind: Kind
    length: int | None = None


@dataclass(frozen=True, slots=True)
class GoldTableColumns:
    """A table.

    Attributes:
        key: the columns that tell its rows apart within a dataset.
        nullable_key: those of them that may be null. In a database's key such a column is stood for by one
            that has an empty text instead, which no id is (data.md, squash and present).
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[GoldColumn, ...]
    nullable_key: tuple[str, ...] = ()


def _text(name: str, length: int = TEXT_LENGTH) -> GoldColumn:
    return GoldColumn(name, Kind.TEXT, length)


def _id(name: str) -> GoldColumn:
    return _text(name, KEY_LENGTH)


_LOCATION_ID = _text("location_id", 16)
_PLACE = (
    _text("country_code", 2),
    _text("country"),
    _text("city"),
    _text("postal_code", 10),
)

GOLD_COLUMNS = (
    GoldTableColumns(
        "dim_users",
        ("user_id",),
        (
            _id("user_id"),
            _text("username"),
            _text("full_name"),
            _text("email", 254),
            _text("phone", 32),
            _text("sex", 6),
            _text("job"),
            _text("company"),
            GoldColumn("birth_date", Kind.DATE),
            GoldColumn("age", Kind.INT32),
            *_PLACE,
            _LOCATION_ID,
            GoldColumn("user_created_at", Kind.INSTANT),
            _text("age_group", 7),
        ),
    ),
    GoldTableColumns("dim_location", ("location_id",), (_LOCATION_ID, *_PLACE)),
    GoldTableColumns(
        "dim_products",
        ("product_id",),
        (_id("product_id"), _text("product_name"), _text("category_name"), _text("subcategory_name")),
    ),
    GoldTableColumns(
        "dim_time",
        ("date_id",),
        (
            GoldColumn("date_id", Kind.INT32),
            GoldColumn("date", Kind.DATE),
            GoldColumn("year", Kind.INT32),
            GoldColumn("quarter", Kind.INT32),
            GoldColumn("month", Kind.INT32),
            _text("month_name", 9),
            GoldColumn("day", Kind.INT32),
            GoldColumn("iso_weekday", Kind.INT32),
            _text("day_name", 9),
            GoldColumn("iso_week", Kind.INT32),
            GoldColumn("is_weekend", Kind.BOOL),
        ),
    ),
    GoldTableColumns(
        "fact_orders",
        ("order_id", "order_item_id"),
        (
            _id("order_item_id"),
            _id("order_id"),
            _id("user_id"),
            _id("product_id"),
            _id("sku_id"),
            _LOCATION_ID,
            GoldColumn("date_id", Kind.INT32),
            GoldColumn("quantity", Kind.INT32),
            GoldColumn("unit_price", Kind.MONEY),
            GoldColumn("line_amount", Kind.MONEY_SUM),
            _id("payment_id"),
            GoldColumn("payment_amount", Kind.MONEY),
            _text("payment_provider"),
            _text("payment_status", 8),
            GoldColumn("order_created_at", Kind.INSTANT),
            GoldColumn("order_updated_at", Kind.INSTANT),
            GoldColumn("quality_score", Kind.INT32),
        ),
        nullable_key=("order_item_id",),
    ),
    GoldTableColumns(
        "agg_user_metrics",
        ("user_id",),
        (
            _id("user_id"),
            GoldColumn("order_count", Kind.INT64),
            GoldColumn("units", Kind.INT64),
            GoldColumn("total_spent", Kind.MONEY_SUM),
            GoldColumn("refunded_amount", Kind.MONEY_SUM),
            GoldColumn("average_order_value", Kind.MONEY_SUM),
            GoldColumn("first_order_at", Kind.INSTANT),
            GoldColumn("last_order_at", Kind.INSTANT),
            GoldColumn("average_quality_score", Kind.DOUBLE),
        ),
    ),
    GoldTableColumns(
        "agg_product_metrics",
        ("product_id",),
        (
            _id("product_id"),
            _text("product_name"),
            _text("category_name"),
            GoldColumn("order_count", Kind.INT64),
            GoldColumn("units_sold", Kind.INT64),
            GoldColumn("revenue", Kind.MONEY_SUM),
            GoldColumn("customer_count", Kind.INT64),
            GoldColumn("average_unit_price", Kind.MONEY_SUM),
        ),
    ),
)
