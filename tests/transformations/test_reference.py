"""The reference implementation against examples worked out by hand from data.md."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.domain.jobs import Counts
from tests.transformations.reference import PartNotReadable, Result, clean
from tests.transformations.reference.bronze import read_json
from tests.transformations.reference.comparison import (
    assert_same_rows,
    assert_same_tables,
    assert_schema,
    json_value,
    rows_of,
    within_one_token,
)
from tests.transformations.reference.gold import SumDoesNotFit, agg_user_metrics
from tests.transformations.reference.schemas import GOLD_TABLES, SCHEMAS
from tests.transformations.rule_examples import (
    ABSENT,
    AS_OF,
    EXAMPLES,
    Example,
    disagreements,
    part_of,
    record_text,
)


def _rows(parts: Mapping[str, bytes], as_of: datetime) -> tuple[list[dict], list[dict]]:
    result = clean(parts, as_of)
    return result.silver, result.quarantine


def _by_column() -> dict[str, list[Example]]:
    columns = defaultdict(list)
    for example in EXAMPLES:
        columns[example.column].append(example)
    return columns


def _cleaned(*records: Mapping[str, str], as_of: datetime = AS_OF) -> Result:
    """Plain records, each with its changes, in one part."""
    texts = [record_text(place, changes) for place, changes in enumerate(records)]
    return clean({"a.json": part_of(texts)}, as_of)


def _only(rows: Iterable[dict]) -> dict:
    (row,) = rows
    return row


@pytest.mark.parametrize("column", _by_column())
def test_each_rule_gives_what_its_examples_say(column: str) -> None:
    assert disagreements(_by_column()[column], _rows) == []


def test_there_are_examples_for_every_column_of_silver() -> None:
    assert set(SCHEMAS["silver"].names) - set(_by_column()) == {"source_row"}


def test_an_engine_that_disagrees_with_an_example_is_found_out() -> None:
    example = Example("city", "address.city", '"Springfield"', "Shelbyville")

    assert disagreements([example], _rows) == [
        "city:address.city=\"Springfield\": ('Springfield', None), expected ('Shelbyville', None)"
    ]


# Section 1: Bronze


@pytest.mark.parametrize(
    ("content", "byte"),
    [
        (b"", 0),
        (b"\xef\xbb\xbf", 3),
        (b"  \n", 3),
        (b"{}", 0),
        (b" \xc2\xa0[]", 1),
        (b'\xef\xbb\xbf "text"', 4),
        (b"null", 0),
        (b"\xef\xbb\xbf\xef\xbb\xbf[]", 3),
        (b"[", 1),
        (b"[1, 2", 5),
        (b"[1,]", 3),
        (b"[1 2]", 3),
        (b'["a" "b"]', 5),
        (b"[] []", 3),
        (b"[]x", 2),
        (b"[NaN]", 1),
        (b'["NaN", "\\"Infinity", -Infinity]', 23),
        (b"[nul]", 1),
        (b"[True]", 1),
        (b"[01]", 2),
        (b"[1.]", 2),
        (b"[.5]", 1),
        (b"[+1]", 1),
        (b"[1e]", 2),
        (b"[-]", 1),
        (b"['a']", 1),
        (b'["a\nb"]', 3),
        (b'["\xc3\xa9\tb"]', 4),
        (b'["\\x41"]', 2),
        (b'["\\u12g4"]', 3),
        (b'["\\u00_1"]', 3),
        (b'[{"a" 1}]', 6),
        (b"[{a: 1}]", 2),
        (b'[{"a": 1,}]', 9),
        (b"[/* none */]", 1),
        (b'["\xff"]', 2),
        (b'["\xc0\x80"]', 2),
        (b'["\xed\xa0\x80"]', 2),
        (b'["\xf4\x90\x80\x80"]', 2),
        (b'["\xe2\x82"]', 2),
        (b'["\xc3\xa9", \xff]', 8),
        ("[]".encode("utf-16"), 0),
    ],
)
def test_a_malformed_part_is_named_with_the_byte_where_reading_stopped(content: bytes, byte: int) -> None:
    with pytest.raises(PartNotReadable) as failure:
        clean({"good.json": b"[]", "worse.json": content}, AS_OF)

    assert failure.value.part == "worse.json"
    assert within_one_token(content, failure.value.byte, byte), failure.value


@pytest.mark.parametrize(
    ("content", "byte"),
    [(b"[NaN]", 1), (b'["\xff"]', 2), (b"{}", 0), (b'["\xc3\xa9" 1]', 6), (b"[\xff, NaN]", 1)],
)
def test_the_byte_counts_from_0_in_bytes(content: bytes, byte: int) -> None:
    with pytest.raises(PartNotReadable) as failure:
        clean({"part.json": content}, AS_OF)

    assert failure.value.byte == byte
    with pytest.raises(PartNotReadable) as failure:
        clean({"part.json": b"\xef\xbb\xbf" + content}, AS_OF)
    assert failure.value.byte == byte + 3


def test_of_several_malformed_parts_the_first_by_the_bytes_of_its_name_is_named() -> None:
    # UTF-16 would put the emoji before the full-width tilde.
    parts = {"\U0001f600.json": b"[", "\uff5e.json": b"]", "Z.json": b"[]", "a.json": b"[]"}

    with pytest.raises(PartNotReadable) as failure:
        clean(parts, AS_OF)

    assert failure.value.part == "\uff5e.json"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" [ ] \r\n", "[]"),
        ('[{"a": 1, "a": 2}]', '[{"a": 2}]'),
        ('["\\ud800", "\\udc00\\ud83d\\ude00"]', '["\ufffd", "\ufffd\U0001f600"]'),
        ('{"\\ud800": 1, "\\ufffd": 2, "\\udfff": 3}', '{"\ufffd": 3}'),
        ("[1.0, 1e2, -0, 0.10]", "[1, 100, 0, 1e-1]"),
    ],
)
def test_unusual_json_is_read_as_the_same_value(text: str, value: str) -> None:
    assert json_value(text) == json_value(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "true"),
        ("0", "false"),
        ("null", '"null"'),
        ("0.1", "0.1000000000000000055511151231257827"),
        ("1e400", "1e401"),
        ("1", "-1"),
        ("[[]]", "[{}]"),
        ('"e\\u0301"', '"\\u00e9"'),
    ],
)
def test_different_json_values_stay_different(text: str, value: str) -> None:
    assert json_value(text) != json_value(value)


def test_huge_numbers_are_read() -> None:
    assert read_json("7" * 5000).text == "7" * 5000
    assert json_value("1" + "0" * 400) == json_value("1e400")


def test_nesting_as_deep_as_allowed_is_read_and_bottomless_nesting_is_refused() -> None:
    deep = b"[" * 512 + b"]" * 512
    result = clean({"deep.json": deep}, AS_OF)
    assert json_value(_only(result.quarantine)["raw"]) == json_value(deep[1:-1].decode())

    with pytest.raises(PartNotReadable, match="nested too deeply"):
        clean({"bottomless.json": b"[" * 100_000 + b"]" * 100_000}, AS_OF)


def test_a_dataset_without_records_gives_every_table_without_rows() -> None:
    result = clean({"a.json": b"\xef\xbb\xbf[]", "b.json": b" [\n] "}, AS_OF)

    assert result.counts == Counts(records_in=0, silver_rows=0, duplicates_removed=0, quarantined=0)
    assert sorted(result.tables) == sorted(SCHEMAS)
    assert not any(result.tables.values())


# Section 3: Silver


def test_a_silver_row_has_every_column_in_order() -> None:
    assert list(_cleaned({}).silver[0].items()) == [
        ("order_id", "order-0"),
        ("order_item_id", "item-0"),
        ("user_id", "user-1"),
        ("username", "huffmanlisa"),
        ("full_name", "Jaime Villarreal"),
        ("email", "lisa@example.com"),
        ("phone", "+12015550123"),
        ("sex", "male"),
        ("job", "Engineer"),
        ("company", "Initech"),
        ("birth_date", date(1990, 2, 28)),
        ("age", 36),
        ("user_created_at", datetime(2026, 11, 20, 9, 0, tzinfo=UTC)),
        ("address_line", "11866 Sharp Passage"),
        ("city", "Springfield"),
        ("postal_code", "12345"),
        ("country", "United States"),
        ("country_code", "US"),
        ("location_id", "9558a8c2835d9d57"),
        ("product_id", "product-1"),
        ("product_name", "Treadmill"),
        ("subcategory_name", "Fitness Sports"),
        ("category_name", "Sports"),
        ("sku_id", "sku-1"),
        ("unit_price", Decimal("19.99")),
        ("quantity", 2),
        ("line_amount", Decimal("39.98")),
        ("payment_id", "payment-1"),
        ("payment_amount", Decimal("39.98")),
        ("payment_provider", "VISA"),
        ("payment_status", "success"),
        ("order_created_at", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        ("order_updated_at", datetime(2026, 11, 21, 10, 0, tzinfo=UTC)),
        ("issues", []),
        ("quality_score", 100),
        ("source_part", "a.json"),
        ("source_row", 0),
        ("processed_at", AS_OF),
    ]


def test_as_of_is_an_instant_whatever_its_offset() -> None:
    ahead = timezone(timedelta(hours=5))

    row = _only(_cleaned({"user.birth_of_date": '"2026-11-23"'}, as_of=AS_OF.astimezone(ahead)).silver)

    assert row["processed_at"].isoformat() == "2026-11-22T21:00:00+00:00"
    assert row["birth_date"] is None


def _line(order: str, item: str, updated_at: str, mark: str) -> dict[str, str]:
    return {"order.id": order, "order_item.id": item, "order.updated_at": updated_at, "user.job": f'"{mark}"'}


def _part(*lines: dict[str, str]) -> bytes:
    return part_of(record_text(place, line) for place, line in enumerate(lines))


def _kept(parts: Mapping[str, bytes]) -> list[str]:
    return sorted(row["job"] for row in clean(parts, AS_OF).silver)


def test_of_duplicates_the_one_updated_last_is_kept() -> None:
    parts = {
        "a.json": _part(
            _line('"o"', '"i"', '"2026-11-21"', "early"),
            _line('"o"', '"i"', "null", "never"),
            _line('"o"', '"i"', '"2026-11-22"', "late"),
        ),
        "b.json": _part(_line('" o "', '"i"', '"2026-11-22T00:00+01:00"', "an hour before late")),
    }

    assert _kept(parts) == ["late"]
    assert clean(parts, AS_OF).counts == Counts(
        records_in=4, silver_rows=1, duplicates_removed=3, quarantined=0
    )


def test_the_silver_column_decides_which_duplicate_is_later() -> None:
    # 2026-11-20 lies before order_created_at, so the column is null there.
    parts = {"a.json": _part(_line("1", "1", '"2026-11-20"', "nulled"), _line("1", "1", "null", "never"))}
    assert _kept(parts) == ["nulled"]

    parts = {"a.json": _part(_line("1", "1", "null", "never"), _line("1", "1", '"2026-11-20"', "nulled"))}
    assert _kept(parts) == ["never"]


def test_of_equally_late_duplicates_the_smallest_part_and_row_is_kept() -> None:
    at = '"2026-11-21T10:00:00Z"'
    parts = {
        "b.json": _part(_line("1", "1", at, "b0")),
        "a.json": _part(_line("1", "2", at, "other"), _line("1", "1", at, "a1"), _line("1", "1", at, "a2")),
    }
    assert _kept(parts) == ["a1", "other"]

    parts = {"9.json": _part(_line("1", "1", at, "nine")), "10.json": _part(_line("1", "1", at, "ten"))}
    assert _kept(parts) == ["ten"]

    parts = {"\U0001f600": _part(_line("1", "1", at, "emoji")), "\uff5e": _part(_line("1", "1", at, "tilde"))}
    assert _kept(parts) == ["tilde"]


def test_missing_order_items_are_equal_and_orders_are_told_apart() -> None:
    at = '"2026-11-21"'
    parts = {
        "a.json": _part(
            _line('"o"', "null", at, "first"),
            _line('"o"', "[]", at, "same"),
            _line('"o"', '"0"', at, "zero"),
            _line('"o"', "0.0", at, "also zero"),
            _line('"O"', "0", at, "another order"),
        )
    }

    assert _kept(parts) == ["another order", "first", "zero"]


def test_quarantine_names_every_reason_in_order() -> None:
    texts = ["7", "null", '"x"', "[]", "{}"]
    texts += [
        '{"order": {"id": 1}}',
        '{"user": {"id": 1}, "order": {"id": "invalid"}}',
        '{"user": [], "order": 1}',
    ]

    result = clean({"a.json": part_of(texts)}, AS_OF)

    assert [(row["source_part"], row["source_row"], row["reasons"]) for row in result.quarantine] == [
        ("a.json", 0, ["not_an_object"]),
        ("a.json", 1, ["not_an_object"]),
        ("a.json", 2, ["not_an_object"]),
        ("a.json", 3, ["not_an_object"]),
        ("a.json", 4, ["missing_order_id", "missing_user_id"]),
        ("a.json", 5, ["missing_user_id"]),
        ("a.json", 6, ["missing_order_id"]),
        ("a.json", 7, ["missing_order_id", "missing_user_id"]),
    ]
    assert result.counts == Counts(records_in=8, silver_rows=0, duplicates_removed=0, quarantined=8)


def test_quarantined_records_are_not_duplicates_of_each_other() -> None:
    assert len(clean({"a.json": b"[{}, {}, 1, 1]", "b.json": b"[{}]"}, AS_OF).quarantine) == 5


@pytest.mark.parametrize(
    ("record", "raw"),
    [
        ('{"password": 1}', "{}"),
        ('{"user": {"PassWord": "x", "id": null}}', '{"user": {"id": null}}'),
        ('[{"password": [1]}, [{"a": {"PASSWORD": {}}}], "password"]', '[{}, [{"a": {}}], "password"]'),
        ('{"p\\u0061ssword": 1, "passwords": 2, "pass": 3}', '{"passwords": 2, "pass": 3}'),
        ('{"pa\\u017f\\u017fword": 1}', '{"pa\u017f\u017fword": 1}'),
        ('{"a": 1e400, "b": 0.1000000000000000000001}', '{"a": 1e400, "b": 0.1000000000000000000001}'),
        ('{"a": "\\ud800", "a\\udc00": -0}', '{"a": "\ufffd", "a\ufffd": 0}'),
        ('{"a": "password", "b": "\\u0000"}', '{"a": "password", "b": "\\u0000"}'),
        ('{"a": 1, "a": {"password": 1, "b": 2}}', '{"a": {"b": 2}}'),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"  password  "', '"  password  "'),
    ],
)
def test_the_raw_record_is_the_same_json_value_without_passwords(record: str, raw: str) -> None:
    row = _only(clean({"a.json": f"[{record}]".encode()}, AS_OF).quarantine)

    assert json_value(row["raw"]) == json_value(raw)
    json.loads(row["raw"]), row["raw"].encode("utf-8")


# Section 4: Gold


def _buyer(user: str, created_at: str, **changes: str) -> dict[str, str]:
    fields = {name.replace("__", "."): value for name, value in changes.items()}
    return {"user.id": f'"{user}"', "order.create_time": created_at, "order.updated_at": ABSENT, **fields}


def test_dim_users_takes_the_row_of_the_latest_order() -> None:
    result = _cleaned(
        _buyer("u", "null", user__job='"no order time"'),
        _buyer("u", '"2026-11-19"', user__job='"earlier"'),
        _buyer("u", '"2026-11-20"', user__job="null", user__age="null", user__birth_of_date="null"),
        _buyer("u", '"2026-11-20"', user__job='"a later place"'),
        _buyer("v", "null", user__job='"first of the timeless"', user__age="65"),
        _buyer("v", "null", user__job='"second of the timeless"'),
    )

    u, v = result.gold["dim_users"]
    assert list(u.items()) == [
        ("user_id", "u"),
        ("username", "huffmanlisa"),
        ("full_name", "Jaime Villarreal"),
        ("email", "lisa@example.com"),
        ("phone", "+12015550123"),
        ("sex", "male"),
        ("job", None),
        ("company", "Initech"),
        ("birth_date", None),
        ("age", None),
        ("country_code", "US"),
        ("country", "United States"),
        ("city", "Springfield"),
        ("postal_code", "12345"),
        ("location_id", "9558a8c2835d9d57"),
        ("user_created_at", datetime(2026, 11, 20, 9, 0, tzinfo=UTC)),
        ("age_group", "unknown"),
    ]
    assert (v["job"], v["age_group"]) == ("first of the timeless", "65+")


@pytest.mark.parametrize(
    ("age", "group"),
    [
        (13, "13-17"),
        (17, "13-17"),
        (18, "18-24"),
        (24, "18-24"),
        (25, "25-34"),
        (34, "25-34"),
        (35, "35-49"),
        (49, "35-49"),
        (50, "50-64"),
        (64, "50-64"),
        (65, "65+"),
        (120, "65+"),
    ],
)
def test_age_groups_meet_without_gaps(age: int, group: str) -> None:
    assert _only(_cleaned({"user.age": str(age)}).gold["dim_users"])["age_group"] == group


def test_the_latest_row_is_found_across_parts() -> None:
    parts = {
        "b.json": part_of([record_text(0, _buyer("u", '"2026-11-20"', user__job='"b"'))]),
        "a.json": part_of([record_text(1, _buyer("u", '"2026-11-20"', user__job='"a"'))]),
        "c.json": part_of([record_text(2, _buyer("u", '"2026-11-20T00:00:00.000001"', user__job='"c"'))]),
    }
    assert _only(clean(parts, AS_OF).gold["dim_users"])["job"] == "c"

    del parts["c.json"]
    assert _only(clean(parts, AS_OF).gold["dim_users"])["job"] == "a"


def test_dim_location_has_each_location_once() -> None:
    result = _cleaned(
        {},
        {"user.id": '"v"'},
        {"address": '{"city": "Springfield"}'},
        {"address": "null"},
        {"address": '{"country": "Wales", "city": "Springfield", "postal_code": 12345}'},
    )

    assert [tuple(row.values()) for row in result.gold["dim_location"]][:2] == [
        ("9558a8c2835d9d57", "US", "United States", "Springfield", "12345"),
        ("7d344db805a1f6f3", None, None, "Springfield", None),
    ]
    assert list(result.gold["dim_location"][0]) == SCHEMAS["dim_location"].names
    assert len(result.gold["dim_location"]) == 3


def test_dim_products_takes_the_latest_row_of_each_product() -> None:
    result = _cleaned(
        {"order.create_time": '"2026-11-19"', "product": '{"id": 7, "name": "Old"}'},
        {"order.create_time": '"2026-11-20"', "product": '{"id": "7", "name": "New"}', "category": "1"},
        {"product": '{"name": "no id"}'},
    )

    assert [list(row.items()) for row in result.gold["dim_products"]] == [
        [
            ("product_id", "7"),
            ("product_name", "New"),
            ("category_name", None),
            ("subcategory_name", "Fitness Sports"),
        ]
    ]


def test_dim_time_runs_from_the_first_to_the_last_day_in_utc() -> None:
    result = _cleaned(
        {"order.create_time": '"2024-03-02T01:00+02:00"'},
        {"order.create_time": '"2024-02-28T23:59:59.999999Z"'},
        {"order.create_time": '"2024-02-29T12:00"'},
        {"order.create_time": "null"},
    )

    assert [tuple(row.values()) for row in result.gold["dim_time"]] == [
        (20240228, date(2024, 2, 28), 2024, 1, 2, "February", 28, 3, "Wednesday", 9, False),
        (20240229, date(2024, 2, 29), 2024, 1, 2, "February", 29, 4, "Thursday", 9, False),
        (20240301, date(2024, 3, 1), 2024, 1, 3, "March", 1, 5, "Friday", 9, False),
    ]
    assert list(result.gold["dim_time"][0]) == SCHEMAS["dim_time"].names


def test_dim_time_fills_gaps_and_knows_quarters_weekends_and_iso_weeks() -> None:
    result = _cleaned({"order.create_time": '"2025-09-30"'}, {"order.create_time": '"2026-01-04"'})
    days = {row["date_id"]: row for row in result.gold["dim_time"]}

    assert len(days) == 97
    assert [days[day]["quarter"] for day in (20250930, 20251001, 20251231, 20260101)] == [3, 4, 4, 1]
    assert [days[day]["iso_week"] for day in (20251228, 20251229, 20260101, 20260104)] == [52, 1, 1, 1]
    assert [days[day]["is_weekend"] for day in (20260102, 20260103, 20260104)] == [False, True, True]
    assert [days[day]["iso_weekday"] for day in (20260102, 20260103, 20260104)] == [5, 6, 7]
    assert [days[day]["day_name"] for day in (20260102, 20260103, 20260104)] == [
        "Friday",
        "Saturday",
        "Sunday",
    ]


def test_dim_time_has_no_rows_without_an_order_time() -> None:
    assert _cleaned({"order.create_time": "null"}).gold["dim_time"] == []


def test_fact_orders_has_a_row_for_each_silver_row() -> None:
    result = _cleaned({}, {"order.create_time": "null"})

    first, second = result.gold["fact_orders"]
    assert list(first.items()) == [
        ("order_item_id", "item-0"),
        ("order_id", "order-0"),
        ("user_id", "user-1"),
        ("product_id", "product-1"),
        ("sku_id", "sku-1"),
        ("location_id", "9558a8c2835d9d57"),
        ("date_id", 20261120),
        ("quantity", 2),
        ("unit_price", Decimal("19.99")),
        ("line_amount", Decimal("39.98")),
        ("payment_id", "payment-1"),
        ("payment_amount", Decimal("39.98")),
        ("payment_provider", "VISA"),
        ("payment_status", "success"),
        ("order_created_at", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        ("order_updated_at", datetime(2026, 11, 21, 10, 0, tzinfo=UTC)),
        ("quality_score", 100),
    ]
    assert (second["date_id"], second["order_created_at"], second["quality_score"]) == (None, None, 95)


def _sale(order: str, price: str, quantity: str, status: str, **changes: str) -> dict[str, str]:
    return {
        "order.id": f'"{order}"',
        "order_item.order_id": f'"{order}"',
        "products_sku.price": price,
        "order_item.quantity": quantity,
        "payment.status": f'"{status}"',
        **{name.replace("__", "."): value for name, value in changes.items()},
    }


def test_user_metrics_sum_by_payment_status() -> None:
    result = _cleaned(
        _sale("o1", "10.00", "1", "success", order__create_time='"2026-11-20T10:00Z"'),
        _sale("o1", "0.01", "2", "success", order__create_time='"2026-11-18T10:00Z"'),
        _sale("o2", "5.00", "1", "Success", order__create_time="null"),
        _sale("o3", "7.00", "3", "refunded"),
        _sale("o4", "100", "4", "pending"),
        _sale("o5", "null", "5", "success"),
        _sale("o6", "3.00", "0", "failed"),
    )

    row = _only(result.gold["agg_user_metrics"])
    assert list(row.items()) == [
        ("user_id", "user-1"),
        ("order_count", 6),
        ("units", 16),
        ("total_spent", Decimal("15.02")),
        ("refunded_amount", Decimal("21.00")),
        ("average_order_value", Decimal("5.01")),
        ("first_order_at", datetime(2026, 11, 18, 10, 0, tzinfo=UTC)),
        ("last_order_at", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        ("average_quality_score", 685 / 7),
    ]


@pytest.mark.parametrize(
    ("prices", "average"),
    [
        (["0.01", "0.00"], Decimal("0.01")),
        (["0.01", "0.00", "0.00"], Decimal("0.00")),
        (["0.05", "0.00"], Decimal("0.03")),
        (["10.00", "10.00", "10.01"], Decimal("10.00")),
        (["1000000", "999999.99"], Decimal("1000000.00")),
        (["0.02", "0.02", "0.01"], Decimal("0.02")),
    ],
)
def test_averages_are_rounded_half_up_from_the_exact_quotient(prices: list[str], average: Decimal) -> None:
    result = _cleaned(*(_sale(f"o{n}", price, "1", "success") for n, price in enumerate(prices)))

    assert _only(result.gold["agg_user_metrics"])["average_order_value"] == average
    assert _only(result.gold["agg_product_metrics"])["average_unit_price"] == average


def test_user_metrics_of_nothing_are_zero_or_null() -> None:
    result = _cleaned(_sale("o1", "10", "null", "pending", order__create_time="null"))

    row = _only(result.gold["agg_user_metrics"])
    assert list(row.values())[1:-1] == [1, 0, Decimal("0.00"), Decimal("0.00"), None, None, None]
    assert (str(row["total_spent"]), type(row["units"])) == ("0.00", int)


def test_a_success_without_an_amount_counts_as_an_order_worth_nothing() -> None:
    row = _only(_cleaned(_sale("o1", "null", "2", "success")).gold["agg_user_metrics"])

    assert (row["total_spent"], row["average_order_value"]) == (Decimal("0.00"), Decimal("0.00"))


def test_a_sum_that_does_not_fit_fails() -> None:
    row = _cleaned({}).silver[0]
    largest = {**row, "line_amount": Decimal("9999999999999999.99")}
    assert agg_user_metrics([largest])[0]["total_spent"] == Decimal("9999999999999999.99")

    with pytest.raises(SumDoesNotFit):
        agg_user_metrics([largest, {**row, "line_amount": Decimal("0.01")}])


def test_product_metrics_count_sales_and_buyers() -> None:
    result = _cleaned(
        _sale("o1", "10.00", "1", "success", order__create_time='"2026-11-20"'),
        _sale("o1", "20.00", "2", "success", order__create_time='"2026-11-19"', product__name='"Old name"'),
        _sale("o2", "null", "4", "success", user__id='"user-2"', order__create_time='"2026-11-18"'),
        _sale("o3", "15.01", "8", "refunded", order__create_time='"2026-11-17"'),
        _sale("o4", "1", "1", "success", product__id="null"),
    )

    row = _only(result.gold["agg_product_metrics"])
    assert list(row.items()) == [
        ("product_id", "product-1"),
        ("product_name", "Treadmill"),
        ("category_name", "Sports"),
        ("order_count", 3),
        ("units_sold", 7),
        ("revenue", Decimal("50.00")),
        ("customer_count", 2),
        ("average_unit_price", Decimal("15.00")),
    ]


def test_a_product_without_prices_has_no_average_price() -> None:
    row = _only(_cleaned(_sale("o1", "null", "null", "failed")).gold["agg_product_metrics"])

    assert list(row.values())[3:] == [1, 0, Decimal("0.00"), 1, None]


# The comparison itself


def _tables(result: Result) -> dict[str, pa.Table]:
    return {name: pa.Table.from_pylist(rows, schema=SCHEMAS[name]) for name, rows in result.tables.items()}


def test_every_table_has_the_columns_of_its_schema_and_fits_its_types() -> None:
    result = _cleaned({}, {"order.id": "null"}, {"address": "null", "user.sex": "7"})

    assert sorted(result.gold) == sorted(GOLD_TABLES)
    for name, rows in result.tables.items():
        assert [list(row) for row in rows] == [SCHEMAS[name].names] * len(rows)
    assert_same_tables(_tables(result), result.tables)


def test_rows_are_compared_as_multisets_through_parquet() -> None:
    result = _cleaned({}, {"user.sex": '"f"'}, {})
    sink = pa.BufferOutputStream()
    pq.write_table(_tables(result)["silver"].take([2, 0, 1]), sink)
    parquet = sink.getvalue().to_pybytes()

    assert_same_rows(parquet, result.silver, SCHEMAS["silver"].names)
    assert len(rows_of(parquet)) == 3
    with pytest.raises(AssertionError, match="0 rows too many, 1 rows lacking"):
        assert_same_rows(parquet, [*result.silver, result.silver[0]], SCHEMAS["silver"].names)


def test_a_difference_names_the_row_and_its_columns() -> None:
    result = _cleaned({}, {})
    expected = [result.silver[0], {**result.silver[1], "age": 37}]

    with pytest.raises(AssertionError) as failure:
        assert_same_rows(_tables(result)["silver"], expected, SCHEMAS["silver"].names)

    assert str(failure.value).splitlines() == [
        "1 rows too many, 1 rows lacking",
        "in the row {'source_part': 'a.json', 'source_row': 1}:",
        "  age: 36, expected 37",
    ]


def test_a_type_that_is_not_the_contracts_is_refused() -> None:
    table = _tables(_cleaned({}))["dim_time"]
    year = table.schema.get_field_index("year")
    wider = table.set_column(year, "year", table["year"].cast(pa.int64()))

    assert_schema(table, "dim_time")
    with pytest.raises(AssertionError, match="int64"):
        assert_schema(wider, "dim_time")


def test_nullability_within_the_schema_is_free() -> None:
    element = pa.list_(pa.field("element", pa.string(), nullable=False))
    empty = pa.schema([(f.name, element if f.name == "reasons" else f.type) for f in SCHEMAS["quarantine"]])

    assert_schema(empty.empty_table(), "quarantine")


def test_places_within_one_token_are_the_same_stop() -> None:
    part = b'[{"key": "value"}, 12]'

    assert within_one_token(part, 9, 16)
    assert within_one_token(part, 10, 12)
    assert not within_one_token(part, 2, 9)
    assert not within_one_token(part, 0, len(part))
