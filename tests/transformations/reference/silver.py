"""Section 3: one record into one row of Silver or of the quarantine, and the removal of duplicates."""

import hashlib
import json
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.transformations.reference import rules
from tests.transformations.reference.bronze import FractionLiteral, IntegerLiteral
from tests.transformations.reference.rules import INVALID, MISSING, Absence

# The columns marked with a tick: a value that is missing or invalid adds an issue.
CHECKED = (
    "username",
    "full_name",
    "email",
    "phone",
    "sex",
    "job",
    "company",
    "birth_date",
    "age",
    "address_line",
    "city",
    "postal_code",
    "country",
    "product_name",
    "category_name",
    "unit_price",
    "quantity",
    "payment_amount",
    "payment_status",
    "order_created_at",
)


def field(record: dict, entity: str, name: str) -> object:
    """A field of an entity; an entity that is not an object counts as absent."""
    members = record.get(entity)
    return members.get(name) if isinstance(members, dict) else None


def quarantine_row(record: object, part: str, place: int) -> dict | None:
    """The row of a record that can't be placed; None for a record that can."""
    if not isinstance(record, dict):
        reasons = ["not_an_object"]
    else:
        reasons = []
        if rules.key(field(record, "order", "id")) is MISSING:
            reasons.append("missing_order_id")
        if rules.key(field(record, "user", "id")) is MISSING:
            reasons.append("missing_user_id")
    if not reasons:
        return None
    raw = json_text(without_passwords(record))
    return {"source_part": part, "source_row": place, "reasons": reasons, "raw": raw}


def without_passwords(value: object) -> object:
    if isinstance(value, dict):
        return {k: without_passwords(v) for k, v in value.items() if rules.lower(k) != "password"}
    if isinstance(value, list):
        return [without_passwords(element) for element in value]
    return value


def json_text(value: object) -> str:
    """JSON text of what `bronze.read_json` reads."""
    if isinstance(value, IntegerLiteral | FractionLiteral):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {json_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json_text(element) for element in value) + "]"
    return json.dumps(value)


def silver_row(record: dict, part: str, place: int, as_of: datetime) -> dict:
    """The row of a record whose keys are known to be there; `as_of` is in UTC."""
    row = _entity_columns(record, as_of)
    issues = [f"{row[column].value}_{column}" for column in CHECKED if isinstance(row[column], Absence)]
    row = {column: None if isinstance(value, Absence) else value for column, value in row.items()}
    if row["age"] is None:
        row["age"] = _imputed_age(row["birth_date"], as_of.date())
        if row["age"] is not None and "missing_age" in issues:
            issues.remove("missing_age")
    row["location_id"] = _location_id(row["country_code"], row["city"], row["postal_code"])
    row["line_amount"] = _line_amount(row["unit_price"], row["quantity"])
    row["order_updated_at"] = _not_before(row["order_updated_at"], row["order_created_at"])
    issues += _mismatches(record, row)
    row["issues"] = sorted(issues)
    row["quality_score"] = max(0, 100 - 5 * len(issues))
    row["source_part"] = part
    row["source_row"] = place
    row["processed_at"] = as_of
    return row


def _entity_columns(record: dict, as_of: datetime) -> dict:
    """The columns in their order, with MISSING or INVALID where there is no value."""

    def read(entity: str, name: str) -> object:
        return field(record, entity, name)

    found = rules.country(read("address", "country"))
    country, country_code = (found, found) if isinstance(found, Absence) else found
    region = None if isinstance(country_code, Absence) else country_code
    return {
        "order_id": rules.key(read("order", "id")),
        "order_item_id": rules.identifier(read("order_item", "id")),
        "user_id": rules.key(read("user", "id")),
        "username": rules.free_text(read("user", "username")),
        "full_name": rules.free_text(read("user", "real_name")),
        "email": rules.email(read("user", "email")),
        "phone": rules.phone(read("user", "phone_number"), region),
        "sex": rules.sex(read("user", "sex")),
        "job": rules.free_text(read("user", "job")),
        "company": rules.free_text(read("user", "company")),
        "birth_date": _birth_date(read("user", "birth_of_date"), as_of),
        "age": rules.integer(read("user", "age"), 13, 120),
        "user_created_at": _recorded_at(read("user", "create_time"), as_of),
        "address_line": rules.free_text(read("address", "address_line")),
        "city": rules.free_text(read("address", "city")),
        "postal_code": rules.postal_code(read("address", "postal_code")),
        "country": country,
        "country_code": country_code,
        "location_id": None,
        "product_id": rules.identifier(read("product", "id")),
        "product_name": rules.free_text(read("product", "name")),
        "subcategory_name": rules.free_text(read("subcategory", "name")),
        "category_name": rules.free_text(read("category", "name")),
        "sku_id": rules.identifier(read("products_sku", "id")),
        "unit_price": rules.money(read("products_sku", "price")),
        "quantity": rules.integer(read("order_item", "quantity"), 1, 100_000),
        "line_amount": None,
        "payment_id": rules.identifier(read("payment", "id")),
        "payment_amount": rules.money(read("payment", "amount")),
        "payment_provider": rules.free_text(read("payment", "provider")),
        "payment_status": rules.status(read("payment", "status")),
        "order_created_at": _recorded_at(read("order", "create_time"), as_of),
        "order_updated_at": rules.instant(read("order", "updated_at")),
    }


def _birth_date(value: object, as_of: datetime) -> date | Absence:
    moment = rules.instant(value)
    if isinstance(moment, Absence):
        return moment
    return moment.date() if moment.date() <= as_of.date() else INVALID


def _recorded_at(value: object, as_of: datetime) -> datetime | Absence:
    """An instant that is at most `as_of` + 1 day."""
    moment = rules.instant(value)
    if isinstance(moment, Absence):
        return moment
    # Not `as_of + one day`, which may lie after the year 9999.
    return moment if moment - as_of <= timedelta(days=1) else INVALID


def whole_years(birth: date, day: date) -> int:
    """Birthdays after the first day; one of 29 February is on 1 March in other years."""
    return day.year - birth.year - (1 if (day.month, day.day) < (birth.month, birth.day) else 0)


def _imputed_age(birth: date | None, day: date) -> int | None:
    if birth is None:
        return None
    years = whole_years(birth, day)
    return years if 13 <= years <= 120 else None


def _location_id(country_code: str | None, city: str | None, postal_code: str | None) -> str | None:
    if country_code is None and city is None and postal_code is None:
        return None
    text = f"{country_code or ''}|{city or ''}|{postal_code or ''}"
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def _line_amount(unit_price: Decimal | None, quantity: int | None) -> Decimal | None:
    return None if unit_price is None or quantity is None else unit_price * quantity


def _not_before(updated_at: datetime | None, created_at: datetime | None) -> datetime | None:
    if updated_at is not None and created_at is not None and updated_at < created_at:
        return None
    return updated_at


def _mismatches(record: dict, row: dict) -> list[str]:
    compared = (
        ("mismatched_order_user", "order", "user_id", row["user_id"]),
        ("mismatched_order_payment", "order", "payment_id", row["payment_id"]),
        ("mismatched_item_order", "order_item", "order_id", row["order_id"]),
        ("mismatched_item_sku", "order_item", "products_sku_id", row["sku_id"]),
    )
    issues = []
    for code, entity, name, beside in compared:
        reference = rules.identifier(field(record, entity, name))
        if reference is not MISSING and reference != beside:
            issues.append(code)
    return issues


def without_duplicates(rows: list[dict]) -> list[dict]:
    """One row for each (order_id, order_item_id), nulls equal."""
    kept: dict[tuple, dict] = {}
    for row in rows:
        same = (row["order_id"], row["order_item_id"])
        if same not in kept or _goes_before(row, kept[same]):
            kept[same] = row
    return list(kept.values())


def _goes_before(row: dict, other: dict) -> bool:
    mine, theirs = row["order_updated_at"], other["order_updated_at"]
    if mine != theirs:
        return theirs is None or (mine is not None and mine > theirs)
    return place_in_source(row) < place_in_source(other)


def place_in_source(row: dict) -> tuple[bytes, int]:
    return row["source_part"].encode("utf-8"), row["source_row"]
