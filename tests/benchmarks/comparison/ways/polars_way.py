"""The Polars way: one lazy query of expressions over all parts."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tests.benchmarks.comparison.subset import (
    ABSENT_WORDS,
    CHECKED_COLUMNS,
    EMAIL,
    GREATEST_PRICE,
    GREATEST_QUANTITY,
    INSTANT,
    LATEST_ORDER,
    POSTAL_CODE,
    QUARANTINE,
    SILVER,
    SILVER_COLUMNS,
    STATUSES,
    USERS,
)

_SCHEMA = pl.Schema(
    {
        "user": pl.Struct({"id": pl.String, "real_name": pl.String, "email": pl.String}),
        "address": pl.Struct({"city": pl.String, "postal_code": pl.String}),
        "category": pl.Struct({"name": pl.String}),
        "product": pl.Struct({"id": pl.String, "name": pl.String}),
        "products_sku": pl.Struct({"price": pl.Float64}),
        "payment": pl.Struct({"status": pl.String}),
        "order": pl.Struct({"id": pl.String, "create_time": pl.String, "updated_at": pl.String}),
        "order_item": pl.Struct({"id": pl.String, "quantity": pl.Int64}),
    }
)
_CENTS = pl.Decimal(12, 2)


def clean(parts: Sequence[Path], out: Path) -> None:
    """Write Silver, the quarantine and the figures of users."""
    cleaned = pl.concat([_read(part) for part in parts]).lazy().select(_raw()).with_columns(_values())
    cleaned = cleaned.with_columns(_line_amount(), _updated_at(), _issues()).collect().lazy()
    placed = pl.col("order_id").is_not_null() & pl.col("user_id").is_not_null()
    silver = _latest(cleaned.filter(placed)).collect().lazy()
    pl.collect_all(
        [
            silver.select(*SILVER_COLUMNS, "issues").sink_parquet(
                out / SILVER, lazy=True, compression="snappy"
            ),
            _quarantine(cleaned.filter(~placed)).sink_parquet(out / QUARANTINE, lazy=True),
            _users(silver).sink_parquet(out / USERS, lazy=True),
        ]
    )


def _read(part: Path) -> pl.DataFrame:
    records = pl.read_json(part, schema=_SCHEMA)
    return records.with_columns(source_part=pl.lit(part.name)).with_row_index("source_row")


def _raw() -> list[pl.Expr]:
    """What is present of each field, `raw_…` where it is judged next."""
    return [
        pl.col("source_part"),
        pl.col("source_row").cast(pl.Int64),
        _present("order", "id").alias("raw_order_id"),
        _present("user", "id").alias("raw_user_id"),
        _present("order_item", "id").alias("order_item_id"),
        _present("product", "id").alias("product_id"),
        _present("user", "real_name").alias("raw_full_name"),
        _present("address", "city").alias("raw_city"),
        _present("product", "name").alias("raw_product_name"),
        _present("category", "name").alias("raw_category_name"),
        _present("user", "email").str.to_lowercase().alias("raw_email"),
        _present("address", "postal_code").str.to_uppercase().alias("raw_postal_code"),
        _present("payment", "status").str.to_lowercase().alias("raw_payment_status"),
        pl.col("products_sku").struct.field("price").alias("raw_unit_price"),
        pl.col("order_item").struct.field("quantity").alias("raw_quantity"),
        _present("order", "create_time").alias("raw_order_created_at"),
        _present("order", "updated_at").alias("raw_order_updated_at"),
    ]


def _present(entity: str, field: str) -> pl.Expr:
    text = pl.col(entity).struct.field(field).str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(~text.str.to_lowercase().is_in(ABSENT_WORDS)).then(text)


def _values() -> list[pl.Expr]:
    names = ("order_id", "user_id", "full_name", "city", "product_name", "category_name")
    email, postal_code, status = (
        pl.col(f"raw_{name}") for name in ("email", "postal_code", "payment_status")
    )
    price, quantity = pl.col("raw_unit_price"), pl.col("raw_quantity")
    created = pl.col("raw_order_created_at").str.to_datetime(INSTANT, strict=False, time_zone="UTC")
    latest = pl.lit(LATEST_ORDER).str.to_datetime(time_zone="UTC")
    return [
        *(_valid(name, ~_begins_with_invalid(pl.col(f"raw_{name}"))) for name in names),
        _valid("email", email.str.contains(EMAIL) & (email.str.len_chars() <= 254)),
        _valid(
            "postal_code",
            postal_code.str.contains(POSTAL_CODE)
            & postal_code.str.contains("[0-9]")
            & ~_begins_with_invalid(postal_code),
        ),
        _valid("payment_status", status.is_in(STATUSES)),
        pl.when(price.is_between(0, GREATEST_PRICE)).then(price).round(2).cast(_CENTS).alias("unit_price"),
        pl.when(quantity.is_between(1, GREATEST_QUANTITY)).then(quantity).cast(pl.Int32).alias("quantity"),
        pl.when(created <= latest).then(created).alias("order_created_at"),
        pl.col("raw_order_updated_at")
        .str.to_datetime(INSTANT, strict=False, time_zone="UTC")
        .alias("order_updated_at"),
    ]


def _valid(name: str, condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.col(f"raw_{name}")).alias(name)


def _begins_with_invalid(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.starts_with("invalid")


def _line_amount() -> pl.Expr:
    amount = pl.col("unit_price").cast(pl.Decimal(18, 2)) * pl.col("quantity")
    return amount.cast(pl.Decimal(18, 2)).alias("line_amount")


def _updated_at() -> pl.Expr:
    updated, created = pl.col("order_updated_at"), pl.col("order_created_at")
    return pl.when(created.is_null() | (updated >= created)).then(updated).alias("order_updated_at")


def _issues() -> pl.Expr:
    codes = [
        pl.when(pl.col(f"raw_{name}").is_null())
        .then(pl.lit(f"missing_{name}"))
        .when(pl.col(name).is_null())
        .then(pl.lit(f"invalid_{name}"))
        for name in CHECKED_COLUMNS
    ]
    return pl.concat_list(codes).list.drop_nulls().list.sort().alias("issues")


def _latest(silver: pl.LazyFrame) -> pl.LazyFrame:
    order = ["order_updated_at", "source_part", "source_row"]
    ordered = silver.sort(order, descending=[True, False, False], nulls_last=True)
    return ordered.unique(["order_id", "order_item_id"], keep="first", maintain_order=True)


def _quarantine(refused: pl.LazyFrame) -> pl.LazyFrame:
    reasons = [
        pl.when(pl.col(name).is_null()).then(pl.lit(f"missing_{name}")) for name in ("order_id", "user_id")
    ]
    return refused.select(
        "source_part", "source_row", pl.concat_list(reasons).list.drop_nulls().alias("reasons")
    )


def _users(silver: pl.LazyFrame) -> pl.LazyFrame:
    paid = pl.col("line_amount").filter(pl.col("payment_status") == "success")
    return silver.group_by("user_id").agg(
        order_count=pl.col("order_id").n_unique(),
        units=pl.col("quantity").cast(pl.Int64).sum(),
        total_spent=paid.sum(),
    )
