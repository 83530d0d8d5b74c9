"""Section 4: the tables of Gold, from Silver alone."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.transformations.reference.silver import place_in_source

CENT = Decimal("0.01")

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

USER_COLUMNS = (
    "user_id",
    "username",
    "full_name",
    "email",
    "phone",
    "sex",
    "job",
    "company",
    "birth_date",
    "age",
    "country_code",
    "country",
    "city",
    "postal_code",
    "location_id",
    "user_created_at",
)
LOCATION_COLUMNS = ("location_id", "country_code", "country", "city", "postal_code")
PRODUCT_COLUMNS = ("product_id", "product_name", "category_name", "subcategory_name")
ORDER_COLUMNS = (
    "order_item_id",
    "order_id",
    "user_id",
    "product_id",
    "sku_id",
    "location_id",
    "date_id",
    "quantity",
    "unit_price",
    "line_amount",
    "payment_id",
    "payment_amount",
    "payment_provider",
    "payment_status",
    "order_created_at",
    "order_updated_at",
    "quality_score",
)


class SumDoesNotFit(Exception):
    """A sum needs more than decimal(18,2)."""


def gold_tables(silver: list[dict]) -> dict[str, list[dict]]:
    return {
        "dim_users": dim_users(silver),
        "dim_location": dim_location(silver),
        "dim_products": dim_products(silver),
        "dim_time": dim_time(silver),
        "fact_orders": fact_orders(silver),
        "agg_user_metrics": agg_user_metrics(silver),
        "agg_product_metrics": agg_product_metrics(silver),
    }


def dim_users(silver: list[dict]) -> list[dict]:
    rows = []
    for group in _grouped(silver, "user_id"):
        row = _picked(_latest(group), USER_COLUMNS)
        row["age_group"] = age_group(row["age"])
        rows.append(row)
    return rows


def age_group(age: int | None) -> str:
    if age is None:
        return "unknown"
    for oldest, name in ((17, "13-17"), (24, "18-24"), (34, "25-34"), (49, "35-49"), (64, "50-64")):
        if age <= oldest:
            return name
    return "65+"


def dim_location(silver: list[dict]) -> list[dict]:
    # Every row of a location says the same: the id is made of its other columns.
    return [_picked(group[0], LOCATION_COLUMNS) for group in _grouped(silver, "location_id")]


def dim_products(silver: list[dict]) -> list[dict]:
    return [_picked(_latest(group), PRODUCT_COLUMNS) for group in _grouped(silver, "product_id")]


def dim_time(silver: list[dict]) -> list[dict]:
    days = [row["order_created_at"].date() for row in silver if row["order_created_at"] is not None]
    if not days:
        return []
    first, last = min(days), max(days)
    return [_day(first + timedelta(days=n)) for n in range((last - first).days + 1)]


def _day(day: date) -> dict:
    return {
        "date_id": date_id(day),
        "date": day,
        "year": day.year,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "month_name": MONTHS[day.month - 1],
        "day": day.day,
        "iso_weekday": day.isoweekday(),
        "day_name": WEEKDAYS[day.isoweekday() - 1],
        "iso_week": day.isocalendar().week,
        "is_weekend": day.isoweekday() in (6, 7),
    }


def date_id(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def fact_orders(silver: list[dict]) -> list[dict]:
    rows = []
    for row in silver:
        created_at = row["order_created_at"]
        dated = {**row, "date_id": None if created_at is None else date_id(created_at.date())}
        rows.append(_picked(dated, ORDER_COLUMNS))
    return rows


def agg_user_metrics(silver: list[dict]) -> list[dict]:
    return [_user_metrics(group) for group in _grouped(silver, "user_id")]


def _user_metrics(group: list[dict]) -> dict:
    successes = [row for row in group if row["payment_status"] == "success"]
    refunds = [row for row in group if row["payment_status"] == "refunded"]
    created = [row["order_created_at"] for row in group if row["order_created_at"] is not None]
    total_spent = _money_sum(successes)
    return {
        "user_id": group[0]["user_id"],
        "order_count": len({row["order_id"] for row in group}),
        "units": _units(group),
        "total_spent": total_spent,
        "refunded_amount": _money_sum(refunds),
        "average_order_value": _average(total_spent, len({row["order_id"] for row in successes})),
        "first_order_at": min(created, default=None),
        "last_order_at": max(created, default=None),
        # The quotient of two Python integers is rounded once.
        "average_quality_score": sum(row["quality_score"] for row in group) / len(group),
    }


def agg_product_metrics(silver: list[dict]) -> list[dict]:
    return [_product_metrics(group) for group in _grouped(silver, "product_id")]


def _product_metrics(group: list[dict]) -> dict:
    latest = _latest(group)
    successes = [row for row in group if row["payment_status"] == "success"]
    prices = [row["unit_price"] for row in group if row["unit_price"] is not None]
    return {
        "product_id": latest["product_id"],
        "product_name": latest["product_name"],
        "category_name": latest["category_name"],
        "order_count": len({row["order_id"] for row in group}),
        "units_sold": _units(successes),
        "revenue": _money_sum(successes),
        "customer_count": len({row["user_id"] for row in group}),
        "average_unit_price": _average(sum(prices, Decimal("0.00")), len(prices)),
    }


def _units(rows: Iterable[dict]) -> int:
    return sum(row["quantity"] for row in rows if row["quantity"] is not None)


def _money_sum(rows: Iterable[dict]) -> Decimal:
    # Decimal's 28 digits are exact for any number of rows that fits in memory.
    total = sum((row["line_amount"] for row in rows if row["line_amount"] is not None), Decimal("0.00"))
    if total >= Decimal(10) ** 16:
        raise SumDoesNotFit(str(total))
    return total


def _average(total: Decimal, count: int) -> Decimal | None:
    """The quotient, half up to cents; sums of money here are never negative."""
    if count == 0:
        return None
    cents = Fraction(total) * 100 / count
    return Decimal(int(cents + Fraction(1, 2))) * CENT


def _grouped(silver: list[dict], column: str) -> list[list[dict]]:
    """Rows by the value of a column; rows without one belong to no group."""
    groups = defaultdict(list)
    for row in silver:
        if row[column] is not None:
            groups[row[column]].append(row)
    return list(groups.values())


def _latest(rows: list[dict]) -> dict:
    latest = rows[0]
    for row in rows[1:]:
        mine, theirs = row["order_created_at"], latest["order_created_at"]
        if mine == theirs:
            later = place_in_source(row) < place_in_source(latest)
        else:
            later = theirs is None or (mine is not None and mine > theirs)
        if later:
            latest = row
    return latest


def _picked(row: dict, columns: tuple[str, ...]) -> dict:
    return {column: row[column] for column in columns}
