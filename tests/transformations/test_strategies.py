"""The datasets that Hypothesis makes are what they are said to be, by the reference."""

from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.transformations import strategies
from tests.transformations.reference import PartNotReadable, clean
from tests.transformations.reference.comparison import assert_same_tables, json_value
from tests.transformations.reference.schemas import SCHEMAS

_any_time = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_any_time
@given(strategies.datasets(), strategies.as_ofs)
def test_every_dataset_is_cleaned_and_fits_the_schemas(parts: strategies.Dataset, as_of: datetime) -> None:
    result = clean(parts, as_of)

    counts = result.counts
    assert counts.records_in == counts.silver_rows + counts.duplicates_removed + counts.quarantined
    tables = {name: pa.Table.from_pylist(rows, schema=SCHEMAS[name]) for name, rows in result.tables.items()}
    assert_same_tables(tables, result.tables)


@_any_time
@given(strategies.datasets(), strategies.as_ofs)
def test_cleaning_twice_and_in_another_order_of_parts_gives_the_same(
    parts: strategies.Dataset, as_of: datetime
) -> None:
    assert clean(dict(reversed(parts.items())), as_of).tables == clean(parts, as_of).tables


@_any_time
@given(strategies.broken_datasets())
def test_every_broken_dataset_fails_naming_its_first_broken_part(broken: strategies.BrokenDataset) -> None:
    with pytest.raises(PartNotReadable) as failure:
        clean(broken.parts, strategies.AS_OFS[0])

    assert failure.value.part == broken.first_broken
    assert 0 <= failure.value.byte <= len(broken.parts[broken.first_broken])


@_any_time
@given(strategies.odd_texts)
def test_odd_texts_are_json_strings(text: str) -> None:
    assert json_value(text).startswith('"')


@_any_time
@given(strategies.numbers)
def test_numbers_are_json_numbers(text: str) -> None:
    assert json_value(text)[-1].isdigit()


def test_a_few_hundred_datasets_reach_every_rule_and_reason() -> None:
    seen: set[str] = set()

    @seed(20261122)
    @settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategies.datasets())
    def collect(parts: strategies.Dataset) -> None:
        result = clean(parts, strategies.AS_OFS[0])
        seen.update(issue for row in result.silver for issue in row["issues"])
        seen.update(reason for row in result.quarantine for reason in row["reasons"])
        if result.counts.duplicates_removed:
            seen.add("duplicates")

    collect()
    checked = [
        "username", "full_name", "email", "phone", "sex", "job", "company", "birth_date", "age",
        "address_line", "city", "postal_code", "country", "product_name", "category_name", "unit_price",
        "quantity", "payment_amount", "payment_status", "order_created_at",
    ]  # fmt: skip
    expected = {f"{kind}_{column}" for kind in ("missing", "invalid") for column in checked}
    expected |= {f"mismatched_{pair}" for pair in ("order_user", "order_payment", "item_order", "item_sku")}
    expected |= {"not_an_object", "missing_order_id", "missing_user_id", "duplicates"}
    assert expected - seen == set()
