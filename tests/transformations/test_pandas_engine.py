from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from backend.domain.errors import MalformedPart, ResultOverflow
from backend.transformations import parquet
from backend.transformations.arrow_gold import build_gold
from tests.transformations import rule_examples, strategies
from tests.transformations.engines import clean_with_pandas
from tests.transformations.reference import PartNotReadable, clean
from tests.transformations.reference.bronze import read_dataset
from tests.transformations.reference.comparison import (
    assert_same_tables,
    assert_schema,
    within_one_token,
)

AS_OF = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)

_any_dataset = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_GROUPS = sorted(
    name
    for name, examples in vars(rule_examples).items()
    if name.isupper() and isinstance(examples, list) and isinstance(examples[0], rule_examples.Example)
)


def _rows(parts: Mapping[str, bytes], as_of: datetime) -> tuple[Iterable[Any], Iterable[Any]]:
    tables, _ = clean_with_pandas(parts, as_of)
    return tables["silver"].to_pylist(), tables["quarantine"].to_pylist()


@pytest.mark.parametrize("group", _GROUPS)
def test_every_example_of_a_rule_gives_its_value_and_issue(group: str) -> None:
    assert rule_examples.disagreements(getattr(rule_examples, group), _rows) == []


@_any_dataset
@given(strategies.datasets(), strategies.as_ofs)
def test_any_dataset_gives_the_rows_of_the_reference(parts: strategies.Dataset, as_of: datetime) -> None:
    expected = clean(parts, as_of)
    tables, counts = clean_with_pandas(parts, as_of)
    assert counts == expected.counts
    assert_same_tables(tables, expected.tables)
    for name, table in tables.items():
        assert_schema(table, name)


@_any_dataset
@given(strategies.datasets(), strategies.as_ofs)
def test_no_record_is_lost_and_running_twice_gives_the_same_bytes(
    parts: strategies.Dataset, as_of: datetime
) -> None:
    first, counts = clean_with_pandas(parts, as_of)
    again, _ = clean_with_pandas(dict(reversed(parts.items())), as_of)
    records = sum(len(records) for _, records in read_dataset(parts))
    assert records == counts.silver_rows + counts.duplicates_removed + counts.quarantined
    assert {name: bytes(parquet.encode(table)) for name, table in first.items()} == {
        name: bytes(parquet.encode(table)) for name, table in again.items()
    }


@_any_dataset
@given(strategies.broken_datasets())
def test_a_broken_dataset_fails_with_its_first_broken_part_and_the_byte(
    broken: strategies.BrokenDataset,
) -> None:
    with pytest.raises(PartNotReadable) as expected:
        clean(broken.parts, AS_OF)
    with pytest.raises(MalformedPart) as raised:
        clean_with_pandas(broken.parts, AS_OF)
    assert raised.value.part == expected.value.part == broken.first_broken
    part = broken.parts[broken.first_broken]
    assert within_one_token(part, raised.value.byte, expected.value.byte)


def test_a_sum_that_does_not_fit_its_column_fails_the_job() -> None:
    dearest = (
        b'[{"order": {"id": "o"}, "user": {"id": "u"}, "payment": {"status": "success"},'
        b' "products_sku": {"price": 1000000}, "order_item": {"quantity": 100000}}]'
    )
    tables, _ = clean_with_pandas({"a.json": dearest}, AS_OF)
    just_fits = tables["silver"].take(pa.array([0] * 99_999))
    assert build_gold(just_fits)["agg_user_metrics"]["total_spent"][0].as_py() == Decimal(9999900000000000)
    with pytest.raises(ResultOverflow, match="total_spent: a sum does not fit"):
        build_gold(tables["silver"].take(pa.array([0] * 100_000)))
