"""The plain pandas way: `json_normalize`, `.str` methods, `groupby`."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.benchmarks.comparison.subset import (
    ABSENT_WORDS,
    CHECKED_COLUMNS,
    EMAIL,
    GREATEST_PRICE,
    GREATEST_QUANTITY,
    LATEST_ORDER,
    POSTAL_CODE,
    QUARANTINE,
    SILVER,
    SILVER_COLUMNS,
    STATUSES,
    USERS,
)

_CENTS = pd.ArrowDtype(pa.decimal128(12, 2))
_TOTAL = pd.ArrowDtype(pa.decimal128(18, 2))


def clean(parts: Sequence[Path], out: Path) -> None:
    """Write Silver, the quarantine and the figures of users."""
    records = pd.concat([_read(part) for part in parts], ignore_index=True)
    cleaned = _cleaned(records)
    placed = cleaned["order_id"].notna() & cleaned["user_id"].notna()
    silver = _latest(cleaned[placed])
    silver[[*SILVER_COLUMNS, "issues"]].to_parquet(out / SILVER, index=False)
    _quarantine(cleaned[~placed]).to_parquet(out / QUARANTINE, index=False)
    _users(silver).to_parquet(out / USERS, index=False)


def _read(part: Path) -> pd.DataFrame:
    records = pd.json_normalize(json.loads(part.read_bytes()))
    return records.assign(source_part=part.name, source_row=np.arange(len(records)))


def _cleaned(records: pd.DataFrame) -> pd.DataFrame:
    cleaned = pd.DataFrame({name: records[name] for name in ("source_part", "source_row")})
    issues = pd.DataFrame(index=records.index)

    def keep(name: str, raw: pd.Series, value: pd.Series) -> None:
        cleaned[name] = value
        if name in CHECKED_COLUMNS:
            issues[name] = np.where(
                raw.isna(), f"missing_{name}", np.where(value.isna(), f"invalid_{name}", "")
            )

    for name, field in (("order_id", "order.id"), ("user_id", "user.id")):
        raw = _present(records[field])
        keep(name, raw, raw.mask(_begins_with_invalid(raw)))
    for name, field in (("order_item_id", "order_item.id"), ("product_id", "product.id")):
        raw = _present(records[field])
        keep(name, raw, raw)
    for name, field in (
        ("full_name", "user.real_name"),
        ("city", "address.city"),
        ("product_name", "product.name"),
        ("category_name", "category.name"),
    ):
        raw = _present(records[field])
        keep(name, raw, raw.mask(_begins_with_invalid(raw)))
    email = _present(records["user.email"]).str.lower()
    keep("email", email, email.where(email.str.match(EMAIL, na=False) & (email.str.len() <= 254)))
    postal_code = _present(records["address.postal_code"]).str.upper()
    valid = postal_code.str.match(POSTAL_CODE, na=False) & postal_code.str.contains("[0-9]", na=False)
    keep("postal_code", postal_code, postal_code.where(valid & ~_begins_with_invalid(postal_code)))
    status = _present(records["payment.status"]).str.lower()
    keep("payment_status", status, status.where(status.isin(STATUSES)))
    price = pd.to_numeric(records["products_sku.price"], errors="coerce")
    keep("unit_price", price, price.round(2).where(price.between(0, GREATEST_PRICE)).astype(_CENTS))
    quantity = pd.to_numeric(records["order_item.quantity"], errors="coerce")
    keep("quantity", quantity, quantity.where(quantity.between(1, GREATEST_QUANTITY)).astype("Int32"))
    cleaned["line_amount"] = (cleaned["unit_price"] * cleaned["quantity"].astype("int32[pyarrow]")).astype(
        _TOTAL
    )
    for name, field in (("order_created_at", "order.create_time"), ("order_updated_at", "order.updated_at")):
        raw = _present(records[field])
        instant = pd.to_datetime(raw, format="%Y-%m-%d %H:%M:%S.%f", errors="coerce", utc=True)
        latest = pd.Timestamp(LATEST_ORDER, tz="UTC")
        keep(name, raw, instant.where(instant <= latest) if name == "order_created_at" else instant)
    before = cleaned["order_updated_at"] < cleaned["order_created_at"]
    cleaned["order_updated_at"] = cleaned["order_updated_at"].mask(before)
    cleaned["issues"] = [sorted(filter(None, row)) for row in issues.to_numpy()]
    return cleaned


def _present(column: pd.Series) -> pd.Series:
    text = column.astype("string").str.replace(r"\s+", " ", regex=True).str.strip()
    return text.mask(text.str.lower().isin(ABSENT_WORDS))


def _begins_with_invalid(text: pd.Series) -> pd.Series:
    return text.str.lower().str.startswith("invalid", na=False)


def _latest(silver: pd.DataFrame) -> pd.DataFrame:
    ordered = silver.sort_values(
        ["order_updated_at", "source_part", "source_row"], ascending=[False, True, True], na_position="last"
    )
    return ordered.drop_duplicates(["order_id", "order_item_id"])


def _quarantine(refused: pd.DataFrame) -> pd.DataFrame:
    reasons = [
        [reason for reason, absent in (("missing_order_id", order), ("missing_user_id", user)) if absent]
        for order, user in zip(refused["order_id"].isna(), refused["user_id"].isna(), strict=True)
    ]
    return refused[["source_part", "source_row"]].assign(reasons=reasons)


def _users(silver: pd.DataFrame) -> pd.DataFrame:
    paid = silver["line_amount"].where(silver["payment_status"] == "success")
    grouped = silver.assign(paid=paid.fillna(Decimal(0))).groupby("user_id")
    return grouped.agg(
        order_count=("order_id", "nunique"), units=("quantity", "sum"), total_spent=("paid", "sum")
    ).reset_index()
