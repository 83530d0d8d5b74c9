import re
import unicodedata
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import phonenumbers
import pycountry
import pytest

from backend.domain.jobs import Counts
from backend.sample_data.countries import COUNTRIES
from backend.sample_data.generator import generate_chunk, generate_records
from backend.sample_data.orders import BLOCK_RECORDS
from backend.transformations.bronze import BronzePart
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pandas_transforms import PandasTransformer, SilverResult

BRONZE_SAMPLE = Path(__file__).parents[1] / "data" / "bronze_sample.json"
NULL_WORDS = {"", "null", "none", "n/a", "#n/a", "nan", "undefined", "-", "--"}
EMAIL = re.compile(r"[a-z0-9]+(\.[a-z0-9]+)*@example\.(com|org|net)")
POSTAL_CODE = re.compile(r"(?=.*[0-9])[A-Z0-9][A-Z0-9 -]{1,8}[A-Z0-9]")
SPELLED_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def clean() -> list[dict[str, Any]]:
    return generate_records(seed=11, first_record=0, record_count=5_000, error_rate=0)


@pytest.fixture(scope="module")
def faulty() -> list[Any]:
    return generate_records(seed=11, first_record=0, record_count=20_000, error_rate=1)


def shape(value: Any) -> Any:
    """Which fields there are, and of which kind."""
    if isinstance(value, dict):
        return {name: shape(field) for name, field in value.items()}
    return "number" if isinstance(value, int | float) else type(value).__name__


def cleaned(chunk: bytes) -> SilverResult:
    transformer = PandasTransformer(ORDER_LINES, datetime(2026, 11, 22, 21, 0, tzinfo=UTC))
    return transformer.transform_to_silver([BronzePart("00000.json", chunk)])


def column(records: list[dict[str, Any]], entity: str, field: str) -> list[Any]:
    return [record[entity][field] for record in records]


class TestClean:
    def test_records_have_the_entities_and_fields_of_the_shop(self, clean: list[dict[str, Any]]) -> None:
        (example, *_) = orjson.loads(BRONZE_SAMPLE.read_bytes())
        assert all(shape(record) == shape(example) for record in clean)
        assert [list(entity) for entity in clean[0].values()] == [list(entity) for entity in example.values()]

    def test_times_and_ids_are_spelled_as_the_shop_spells_them(self, clean: list[dict[str, Any]]) -> None:
        record = clean[0]
        for entity in record.values():
            for field in ("create_time", "delete_time", "updated_at"):
                assert SPELLED_TIME.fullmatch(entity.get(field, "2026-11-22 19:24:33.703631"))
        for entity in ("user", "address", "category", "subcategory", "product", "wishlist", "order_item"):
            assert re.fullmatch(f"{entity}_id-{UUID}", record[entity]["id"])
        assert re.fullmatch(f"payment_details_id-{UUID}", record["payment"]["id"])
        assert re.fullmatch(f"order_details_id-{UUID}", record["order"]["id"])
        assert re.fullmatch(r"[0-9a-f]{3}-[0-9a-f]{3}-[0-9a-f]{3}-\d{5}", record["products_sku"]["id"])

    def test_texts_say_something(self, clean: list[dict[str, Any]]) -> None:
        for entity, field in (
            ("user", "username"),
            ("user", "real_name"),
            ("user", "job"),
            ("user", "company"),
            ("address", "address_line"),
            ("address", "city"),
            ("category", "name"),
            ("subcategory", "name"),
            ("product", "name"),
            ("payment", "provider"),
        ):
            for text in column(clean, entity, field):
                assert text.lower() not in NULL_WORDS
                assert not text.lower().startswith("invalid")
                assert text == " ".join(unicodedata.normalize("NFC", text).split())

    def test_phone_numbers_are_valid_where_their_owners_live(self, clean: list[dict[str, Any]]) -> None:
        for record in clean:
            region = pycountry.countries.lookup(record["address"]["country"]).alpha_2
            number = phonenumbers.parse(re.sub("^00", "+", record["user"]["phone_number"]), region)
            assert phonenumbers.is_valid_number(number), record["user"]["phone_number"]
            assert number.country_code == phonenumbers.country_code_for_region(region)

    @pytest.mark.parametrize("country", COUNTRIES, ids=lambda country: country.name)
    def test_every_way_of_writing_a_phone_number_is_valid(self, country: Any) -> None:
        region = pycountry.countries.lookup(country.name).alpha_2
        for phone_format in country.phone_formats:
            for digits in ("0000", "9999", "1357", "9110", "0119", "5550"):
                text = phone_format.format(a=digits, b=digits, c=digits[:2])
                number = phonenumbers.parse(re.sub("^00", "+", text), region)
                assert phonenumbers.is_valid_number(number), text

    def test_emails_postal_codes_and_sexes_are_valid(self, clean: list[dict[str, Any]]) -> None:
        assert all(EMAIL.fullmatch(text) for text in column(clean, "user", "email"))
        assert all(len(text.partition("@")[0]) <= 64 for text in column(clean, "user", "email"))
        assert all(POSTAL_CODE.fullmatch(text) for text in column(clean, "address", "postal_code"))
        assert set(column(clean, "user", "sex")) == {"male", "female", "other"}

    def test_ages_follow_from_birth_dates(self, clean: list[dict[str, Any]]) -> None:
        for born_text, age in zip(
            column(clean, "user", "birth_of_date"), column(clean, "user", "age"), strict=True
        ):
            born = date.fromisoformat(born_text)
            assert age == 2026 - born.year - ((born.month, born.day) > (1, 1))
            assert 13 <= age <= 120

    def test_prices_and_payments_are_right_to_the_cent(self, clean: list[dict[str, Any]]) -> None:
        totals: defaultdict[str, Decimal] = defaultdict(Decimal)
        for record in clean:
            price, quantity = Decimal(str(record["products_sku"]["price"])), record["order_item"]["quantity"]
            assert price == price.quantize(Decimal("0.01"))
            assert 0 < price <= 2_500
            assert 1 <= quantity <= 12
            totals[record["order"]["id"]] += price * quantity
        for record in clean:
            assert Decimal(str(record["payment"]["amount"])) == totals[record["order"]["id"]]
            assert record["payment"]["status"] in {"Success", "Pending", "Failed", "Refunded"}

    def test_things_happen_in_their_order_within_two_years(self, clean: list[dict[str, Any]]) -> None:
        ordered = column(clean, "order", "create_time")
        assert "2024-01-01" <= min(ordered) < "2024-01-15"
        assert "2025-11-15" < max(ordered) < max(column(clean, "order", "updated_at")) < "2026-01-01"
        for record in clean:
            order = record["order"]
            assert record["user"]["create_time"] < order["create_time"] < order["updated_at"]
            assert (
                record["wishlist"]["create_time"] < order["create_time"] <= record["payment"]["create_time"]
            )
            datetime.fromisoformat(order["create_time"])

    def test_references_match(self, clean: list[dict[str, Any]]) -> None:
        for record in clean:
            assert record["order"]["user_id"] == record["user"]["id"] == record["address"]["user_id"]
            assert record["order"]["payment_id"] == record["payment"]["id"]
            assert record["order_item"]["order_id"] == record["order"]["id"]
            assert record["order_item"]["products_sku_id"] == record["products_sku"]["id"]
            assert record["products_sku"]["product_id"] == record["product"]["id"]
            assert record["product"]["category_id"] == record["subcategory"]["id"]
            assert record["subcategory"]["parent_id"] == record["category"]["id"]

    def test_no_record_appears_twice(self, clean: list[dict[str, Any]]) -> None:
        assert len(set(column(clean, "order_item", "id"))) == 5_000


class TestShop:
    def test_customers_return_as_who_they_are(self, clean: list[dict[str, Any]]) -> None:
        seen = {}
        orders: defaultdict[str, set[str]] = defaultdict(set)
        for record in clean:
            customer = (record["user"], record["address"])
            assert seen.setdefault(record["user"]["id"], customer) == customer
            orders[record["user"]["id"]].add(record["order"]["id"])
        returning = sum(len(of_customer) > 1 for of_customer in orders.values())
        assert 800 < len(orders) < 1_300
        assert returning > 400
        assert max(len(of_customer) for of_customer in orders.values()) < 40

    def test_orders_have_one_to_four_lines(self, clean: list[dict[str, Any]]) -> None:
        lines = Counter(Counter(column(clean, "order", "id")).values())
        assert set(lines) == {1, 2, 3, 4}
        assert lines[1] > lines[2] > lines[3] > lines[4]

    def test_products_have_a_long_tail(self, clean: list[dict[str, Any]]) -> None:
        sales = [count for _, count in Counter(column(clean, "product", "id")).most_common()]
        assert len(sales) > 900
        assert sum(sales[: len(sales) // 10]) > 0.35 * 5_000
        assert sum(count <= 2 for count in sales) > 0.3 * len(sales)
        assert sales[0] < 0.05 * 5_000

    def test_customers_live_in_all_the_countries(self, clean: list[dict[str, Any]]) -> None:
        assert set(column(clean, "address", "country")) == {country.name for country in COUNTRIES}


class TestFaults:
    def test_come_at_the_error_rate(self) -> None:
        clean = generate_records(5, 0, 10_000, 0)
        faulty = generate_records(5, 0, 10_000, 0.1)
        differing = sum(one != other for one, other in zip(clean, faulty, strict=True))
        assert 850 < differing < 1_100

    def test_include_records_said_before_some_with_a_later_change(self) -> None:
        records = generate_records(5, 0, 20_000, 0.2)
        lines: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for record in records:
            if isinstance(record, dict) and record.keys() >= {"order", "order_item"}:
                order, item = record["order"], record["order_item"]
                if isinstance(order, dict) and isinstance(item, dict) and isinstance(order.get("id"), str):
                    lines[order["id"], str(item.get("id"))].append(order.get("updated_at"))
        repeated = [times for times in lines.values() if len(times) > 1]
        assert len(repeated) > 700
        assert 100 < sum(len(set(map(str, times))) == 1 for times in repeated) < len(repeated) - 100

    def test_let_duplicates_cross_from_part_to_part(self) -> None:
        first = generate_records(5, 0, 2_500, 0.3)
        second = generate_records(5, 2_500, 2_500, 0.3)
        ids = [
            {
                record["order_item"]["id"]
                for record in part
                if isinstance(record, dict)
                and "order_item" in record
                and isinstance(record["order_item"], dict)
            }
            for part in (first, second)
        ]
        assert ids[0] & ids[1]

    def test_include_what_can_not_be_placed(self, faulty: list[Any]) -> None:
        kinds = Counter(type(record).__name__ for record in faulty)
        assert {"dict", "NoneType", "str", "int", "bool", "list", "float"} == set(kinds)
        records = [record for record in faulty if isinstance(record, dict)]
        for entity in ("order", "user"):
            assert any(entity not in record for record in records)
            assert any(isinstance(record.get(entity), str) for record in records)
            holders = [record[entity] for record in records if isinstance(record.get(entity), dict)]
            assert any("id" not in holder for holder in holders)
            assert any(str(holder.get("id")).startswith("INVALID-ID") for holder in holders)

    @pytest.mark.parametrize(
        ("entity", "field", "value"),
        [
            ("user", "email", "@example.com"),
            ("user", "age", -10),
            ("user", "age", "41"),
            ("user", "birth_of_date", "1987-02-30"),
            ("user", "phone_number", "12345"),
            ("address", "country", "Atlantis"),
            ("address", "country", "UK"),
            ("address", "postal_code", "!!"),
            ("products_sku", "price", "$1,234.50"),
            ("products_sku", "price", -12.5),
            ("payment", "status", "PENDING"),
            ("order", "create_time", "2025-02-29 10:00:00.000000"),
            ("order", "updated_at", "2019-06-01 08:00:00.000000"),
            ("order_item", "quantity", "8.0"),
            ("order_item", "quantity", None),
            ("order_item", "quantity", []),
        ],
    )
    def test_include(self, faulty: list[Any], entity: str, field: str, value: Any) -> None:
        assert any(
            record[entity].get(field, "absent") == value
            for record in faulty
            if isinstance(record, dict) and isinstance(record.get(entity), dict)
        )

    def test_include_mismatched_references_and_invalid_texts(self, faulty: list[Any]) -> None:
        text = orjson.dumps(faulty).decode()
        for start in (
            '"user_id":"invalid-user-',
            '"payment_id":"invalid-payment-',
            '"order_id":"invalid-order-',
            '"products_sku_id":"invalid-sku-',
            '"postal_code":"INVALID',
            '"real_name":"InvalidName',
            '"job":"Invalid Job ',
        ):
            assert start in text


class TestCleaning:
    """What becomes of sample records under the data contract."""

    def test_clean_records_clean_without_an_issue(self) -> None:
        chunk = generate_chunk(seed=23, first_record=0, record_count=4_000, error_rate=0)
        result = cleaned(chunk)
        assert result.counts == Counts(4_000, 4_000, 0, 0)
        assert set(result.silver["quality_score"].to_pylist()) == {100}
        for column_name in result.silver.column_names:
            assert result.silver[column_name].null_count == 0, column_name

    def test_faulty_records_show_every_issue_and_every_reason(self) -> None:
        result = cleaned(generate_chunk(seed=23, first_record=0, record_count=20_000, error_rate=1))
        checked = [column.name for column in ORDER_LINES.columns if column.checked]
        references = ["order_user", "order_payment", "item_order", "item_sku"]
        expected = {f"{kind}_{name}" for kind in ("missing", "invalid") for name in checked}
        expected |= {f"mismatched_{name}" for name in references}
        assert {code for codes in result.silver["issues"].to_pylist() for code in codes} == expected
        assert {reason for reasons in result.quarantine["reasons"].to_pylist() for reason in reasons} == {
            "not_an_object",
            "missing_order_id",
            "missing_user_id",
        }
        assert result.counts.duplicates_removed > 3_000


class TestChunks:
    @pytest.mark.parametrize("error_rate", [0.0, 0.3, 1.0])
    def test_any_stretch_can_be_made_on_its_own(self, error_rate: float) -> None:
        whole = generate_records(3, 0, 3 * BLOCK_RECORDS, error_rate)
        for first, count in ((0, 1), (999, 2), (750, 1_500), (2_999, 1), (1_000, 1_000), (500, 0)):
            assert generate_records(3, first, count, error_rate) == whole[first : first + count]

    def test_the_same_seed_gives_the_same_bytes(self) -> None:
        assert generate_chunk(3, 2_500, 500, 0.2) == generate_chunk(3, 2_500, 500, 0.2)

    def test_another_seed_gives_other_people_and_products(self) -> None:
        first, second = generate_records(3, 0, 500, 0), generate_records(4, 0, 500, 0)
        for entity in ("user", "product", "order"):
            assert not set(column(first, entity, "id")) & set(column(second, entity, "id"))

    def test_what_a_seed_gives_does_not_change_from_release_to_release(self) -> None:
        (record,) = generate_records(seed=1, first_record=12_345, record_count=1, error_rate=0)
        assert (record["order"]["create_time"], record["user"]["email"], record["products_sku"]["price"]) == (
            "2025-10-19 23:43:30.959868",
            "angelo.mebelder2102@example.com",
            64.99,
        )

    def test_a_far_stretch_of_a_large_dataset_can_be_made(self) -> None:
        assert len(generate_records(3, 9_999_000, 1_000, 0.1)) == 1_000
