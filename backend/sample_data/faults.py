"""What goes wrong in sample records: every kind of odd value that the data contract (data.md) speaks of."""

from collections.abc import Callable
from typing import Any

Record = dict[str, Any]

FAULT_DRAWS = 8
"""How many random integers, 0 or more, decide what is wrong with one record."""

_ABSENT = object()
_NULL_WORDS = ("null", "None", "N/A", "#N/A", "nan", "undefined", "-", "--", "", "   ")
_NO_SCALARS: tuple[Any, ...] = ([], ["a", "list"], {"value": "nested"}, {})
_NO_RECORDS: tuple[Any, ...] = (None, "a line that is not a record", 42, True, ["user", "order"], 3.5)

# What a field may hold instead of its value; `#` stands for a number of the record's own. Values that a
# rule repairs stand beside values that it can't accept: a shop has both.
_REPLACEMENTS: dict[tuple[str, str], tuple[Any, ...]] = {
    ("user", "username"): ("Invalid Username #", "INVALIDuser#", 5_721, None),
    ("user", "real_name"): ("InvalidName#", "Invalid Name #", "\tAnna\u00a0  Example #\n", 12.5),
    ("user", "email"): (
        "invalid-email-#", "name#@", "@example.com", "a..b#@example.com", "user#@localhost",
        "user # @example.com", "Mixed.Case#@Example.COM", "user#@-example.com", 4_711,
    ),
    ("user", "phone_number"): (
        "Invalid Phone #", "12345", "000", "not a number", "+999 123 456 789 012 345", "call me #", 5_551_234,
    ),
    ("user", "sex"): ("M", "F", "Invalid Sex #", "unknown", "X", True),
    ("user", "job"): ("Invalid Job #", ["Engineer"]),
    ("user", "company"): ("Invalid Company #", "InvalidCompany#", False),
    ("user", "birth_of_date"): (
        "2036-09-30", "1987-02-30", "31/12/1990", "12/31/1990", "1875-05-01", "Invalid Date #", 631_152_000,
    ),
    ("user", "age"): (-10, 4, 0, 150, 999, "abc", 33.5, "41", "52.0", True, "Invalid Age #"),
    ("user", "create_time"): ("2023-13-45 25:61:00.000000", "Invalid Time #", "2199-01-01 00:00:00"),
    ("address", "address_line"): ("Invalid Address #", 1_186, {"street": "Sharp Passage"}),
    ("address", "city"): ("Invalid City #", "InvalidCity#", 57_217.0),
    ("address", "country"): ("Atlantis", "Invalid Country #", "UK", "england", "usa", "DE", "Turkey", 49),
    ("address", "postal_code"): ("INVALID#", "!!", "ABCDE", "12", "12345-67890-12", "-1234", 57_217.0),
    ("category", "name"): ("Invalid Category #", ["Sports"], None),
    ("subcategory", "name"): ("Invalid Subcategory #", None),
    ("product", "name"): ("Invalid Product #", "Caf\u0065\u0301 Press #", None),
    ("products_sku", "price"): (
        "$1,234.50", "€ 19.99", "£5", "-5.00", -12.5, "12,34", "free", 2_000_000, "1e3", True, 19.995,
    ),
    ("payment", "amount"): ("$99.90", "USD 12.50", -1, "¥1,200", 10_000_000.0, "Invalid Amount #", [10, 20]),
    ("payment", "provider"): ("Invalid Provider #", None, 16),
    ("payment", "status"): ("Invalid Status #", "PENDING", "unknown", "Paid", "refunded ", 1),
    ("order", "create_time"): (
        "not a date", "2025-02-29 10:00:00.000000", "03/14/2025", "2025/03/14", "2025-03-14T09:26:53Z",
        "2025-03-14 09:26:53.589793 +0100", "1741944413", 1_741_944_413_589, "2199-12-31 23:59:59",
        "Invalid Date #",
    ),
    ("order", "updated_at"): ("2019-06-01 08:00:00.000000", "Invalid Date #", "tomorrow"),
    ("order", "user_id"): ("user_id-nobody-#", "invalid-user-#"),
    ("order", "payment_id"): ("payment_details_id-lost-#", "invalid-payment-#"),
    ("order_item", "order_id"): ("order_details_id-other-#", "invalid-order-#"),
    ("order_item", "products_sku_id"): ("invalid-sku-#", "eb0-9f4-de3-#"),
    ("order_item", "quantity"): (0, -3, 1.5, "7", "8.0", "a dozen", 250_000, "Invalid #", 4.0),
}  # fmt: skip
_FIELDS = tuple(_REPLACEMENTS)

# Fields without which a record can't be placed, and what stands there instead.
_LOST_KEYS: tuple[Any, ...] = (_ABSENT, None, "", "null", "INVALID-ID-#", ["no", "id"])
_ENTITIES = tuple(dict.fromkeys(entity for entity, _ in _FIELDS))


def duplicate(record: Record, draws: list[int]) -> Record:
    """The record once more: as it is, or as it was after a later change of the order."""
    if draws[1] % 2:
        updated = record["order"]["updated_at"]
        # Late in the same minute: after the first time, and on the calendar for sure.
        record["order"] = record["order"] | {"updated_at": f"{updated[:17]}59.999999"}
    return record


def broken(record: Record, draws: list[int]) -> Any:
    """The record with one to three things wrong, or something else in its place.

    Args:
        record: a clean record, which is changed.
        draws: `FAULT_DRAWS` random integers.
    """
    kind = draws[0] % 100
    if kind < 2:
        return _NO_RECORDS[draws[1] % len(_NO_RECORDS)]
    if kind < 8:
        _lose_key(record, draws[1], draws[2])
    elif kind < 12:
        _lose_entity(record, draws[1])
    for at in range(2, 3 + draws[7] % 3):
        _BREAK[draws[at] % len(_BREAK)](record, draws[at] >> 4, draws[at + 1])
    return record


def _lose_key(record: Record, which: int, how: int) -> None:
    entity = ("order", "user")[which % 2]
    _put(record, entity, "id", _LOST_KEYS[how % len(_LOST_KEYS)], how)


def _lose_entity(record: Record, draw: int) -> None:
    entity = _ENTITIES[draw % len(_ENTITIES)]
    if draw >> 8 & 1:
        record[entity] = f"invalid {entity}"
    else:
        record.pop(entity)


def _replace(record: Record, draw: int, how: int) -> None:
    entity, field = _FIELDS[draw % len(_FIELDS)]
    values = _REPLACEMENTS[entity, field]
    _put(record, entity, field, values[how % len(values)], how)


def _blank(record: Record, draw: int, how: int) -> None:
    entity, field = _FIELDS[draw % len(_FIELDS)]
    _put(record, entity, field, (None, _ABSENT, _NULL_WORDS[how % len(_NULL_WORDS)])[how % 3], how)


def _mistype(record: Record, draw: int, how: int) -> None:
    entity, field = _FIELDS[draw % len(_FIELDS)]
    _put(record, entity, field, _NO_SCALARS[how % len(_NO_SCALARS)], how)


_BREAK: tuple[Callable[[Record, int, int], None], ...] = (
    _replace, _replace, _replace, _replace, _replace, _blank, _blank, _mistype,
)  # fmt: skip


def _put(record: Record, entity: str, field: str, value: Any, number: int) -> None:
    holder = record.get(entity)
    if not isinstance(holder, dict):
        return
    if value is _ABSENT:
        holder.pop(field, None)
    else:
        holder[field] = value.replace("#", str(number % 1_000)) if isinstance(value, str) else value
