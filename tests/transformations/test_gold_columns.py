import pyarrow as pa
import pytest

from backend.domain.errors import ValueTooLong
from backend.transformations.gold_columns import GOLD_COLUMNS, GoldTableColumns, Kind
from backend.transformations.gold_lengths import check_lengths
from tests.transformations.reference.schemas import GOLD_TABLES, SCHEMAS

ARROW_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.INT32: pa.int32(),
    Kind.INT64: pa.int64(),
    Kind.DOUBLE: pa.float64(),
    Kind.MONEY: pa.decimal128(12, 2),
    Kind.MONEY_SUM: pa.decimal128(18, 2),
    Kind.DATE: pa.date32(),
    Kind.INSTANT: pa.timestamp("us", tz="UTC"),
    Kind.BOOL: pa.bool_(),
}
EACH_TABLE = pytest.mark.parametrize("table", GOLD_COLUMNS, ids=lambda table: table.name)


def test_the_tables_are_those_of_gold_in_their_order() -> None:
    assert tuple(table.name for table in GOLD_COLUMNS) == GOLD_TABLES


@EACH_TABLE
def test_a_tables_columns_have_the_names_order_and_kinds_of_its_files(table: GoldTableColumns) -> None:
    columns = [(column.name, ARROW_TYPES[column.kind]) for column in table.columns]
    assert pa.schema(columns) == SCHEMAS[table.name]


@EACH_TABLE
def test_a_tables_key_is_made_of_its_columns_each_once(table: GoldTableColumns) -> None:
    assert table.key
    assert len(set(table.key)) == len(table.key)
    assert set(table.key) <= {column.name for column in table.columns}


@EACH_TABLE
def test_every_text_and_nothing_else_has_a_limit(table: GoldTableColumns) -> None:
    limited = {column.name for column in table.columns if column.length is not None}
    assert limited == {column.name for column in table.columns if column.kind is Kind.TEXT}


def test_keys_fit_an_index_of_mysql() -> None:
    # 3,072 bytes, 4 for each character; beside the key stand the owner (32) and the dataset (128).
    for table in GOLD_COLUMNS:
        lengths = {column.name: column.length or 4 for column in table.columns}
        assert 4 * (32 + 128 + sum(lengths[name] for name in table.key)) <= 3_072, table.name


def test_a_text_is_measured_in_characters_and_not_quoted_when_it_is_too_long() -> None:
    def products(*names: str | None) -> pa.RecordBatch:
        rows = [
            {"product_id": "p", "product_name": name, "category_name": None, "subcategory_name": ""}
            for name in names
        ]
        return pa.RecordBatch.from_pylist(rows, schema=SCHEMAS["dim_products"])

    check_lengths("the warehouse", "dim_products", products("\N{SUNRISE}" * 1_000, None))
    check_lengths("the warehouse", "dim_products", products())
    with pytest.raises(ValueTooLong) as refusal:
        check_lengths("the warehouse", "dim_products", products("short", "é" * 1_001))
    assert str(refusal.value) == (
        "the warehouse: dim_products.product_name holds a text of 1001 characters, and takes 1000"
    )
