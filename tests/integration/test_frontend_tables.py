"""The frontend's tables in SQLite and in a real MariaDB: the same answers."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backend.adapters.frontend_tables import FrontendTables
from backend.adapters.operational_database import OperationalDatabase
from backend.adapters.schema_migration import migrate
from backend.domain.errors import Unavailable
from backend.ports import FrontendTable, GoldTable, LoadedDataset
from tests.gold import AS_OF, gold_of_records, gold_of_rows, gold_tables
from tests.mariadb_server import MariaDbServer

OWNER, OTHER = "a" * 32, "b" * 32
OLDER = LoadedDataset(OWNER, "older", "2" * 32, AS_OF)
NEWER = LoadedDataset(OWNER, "newer", "3" * 32, AS_OF + timedelta(minutes=1))


class Both:
    """The same rows in both databases."""

    def __init__(self, urls: tuple[str, str]) -> None:
        self._loaders = [OperationalDatabase(url) for url in urls]
        self._readers = [FrontendTables(url) for url in urls]

    def load(self, dataset: LoadedDataset, tables: Sequence[GoldTable]) -> None:
        for loader in self._loaders:
            assert loader.load(dataset, tables)

    def newest(self, table: FrontendTable, owner_id: str = OWNER) -> list[dict[str, object]]:
        """What SQLite answers, and MariaDB too."""
        sqlite, mariadb = (reader.newest(owner_id, table, 20) for reader in self._readers)
        assert sqlite == mariadb
        return sqlite

    def user_ids(self, dataset: LoadedDataset) -> list[str]:
        """What SQLite answers, and MariaDB too."""
        ids = [reader.user_ids(dataset.owner_id, dataset.dataset_id) for reader in self._readers]
        assert ids[0] == ids[1]
        return ids[0]

    def close(self) -> None:
        for loader, reader in zip(self._loaders, self._readers, strict=True):
            loader.close()
            reader.close()


@pytest.fixture
def both(tmp_path: Path, mariadb: MariaDbServer) -> Iterator[Both]:
    urls = f"sqlite:///{tmp_path / 'gold.sqlite'}", mariadb.create_database(f"front_{secrets.token_hex(6)}")
    for url in urls:
        migrate(url)
    both = Both(urls)
    yield both
    both.close()


def test_sample_data_looks_the_same_on_both(both: Both) -> None:
    both.load(OLDER, gold_tables(gold_of_records(2000)))
    both.load(NEWER, gold_tables(gold_of_records(10, seed=2)))
    rows = {table.value: len(both.newest(table)) for table in FrontendTable}
    assert rows.pop("category") == 10
    assert rows.pop("wishlist") == 0
    assert set(rows.values()) == {20}


def test_values_are_text_that_loses_nothing(both: Both) -> None:
    order = {
        "order_id": "o-1",
        "sku_id": "s-1",
        "unit_price": Decimal("12.50"),
        "line_amount": Decimal("9999999999999999.99"),
        "quantity": 2,
        "order_created_at": datetime(1900, 1, 1, tzinfo=UTC),
        "order_updated_at": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    }
    both.load(
        OLDER, gold_of_rows(fact_orders=[order], dim_users=[{"user_id": "é", "birth_date": date(1900, 1, 1)}])
    )
    [row] = both.newest(FrontendTable.ORDER_ITEM)
    assert {name: value for name, value in row.items() if value is not None} == order | {
        "unit_price": "12.50",
        "line_amount": "9999999999999999.99",
        "order_created_at": "1900-01-01T00:00:00Z",
        "order_updated_at": "9999-12-31T23:59:59.999999Z",
    }
    [user] = both.newest(FrontendTable.USER)
    assert (user["user_id"], user["birth_date"]) == ("é", "1900-01-01")


def test_newest_comes_first_and_without_a_time_last(both: Both) -> None:
    def order(number: int, day: int | None) -> dict[str, object]:
        time = datetime(2026, 1, day, tzinfo=UTC) if day else None
        return {"order_id": f"o-{number}", "order_created_at": time}

    both.load(OLDER, gold_of_rows(fact_orders=[order(1, None), order(2, 1), order(3, 3), order(4, 3)]))
    both.load(NEWER, gold_of_rows(fact_orders=[order(5, 1)]))
    later_of_that_moment = replace(NEWER, dataset_id="newest", job_id="1" * 32)
    both.load(later_of_that_moment, gold_of_rows(fact_orders=[order(6, None)]))
    shown = [row["order_id"] for row in both.newest(FrontendTable.ORDER)]
    assert shown == ["o-6", "o-5", "o-3", "o-4", "o-2", "o-1"]


def test_ids_of_very_many_lines_leave_room_for_the_others(both: Both) -> None:
    def line(order: int, item: int, sku: int) -> dict[str, Any]:
        time = datetime(2026, 1, 31 - order, tzinfo=UTC)
        ids = {"order_id": f"o-{order:02}", "order_item_id": f"i-{item:03}", "sku_id": f"s-{sku}"}
        return {**ids, "unit_price": Decimal(item), "order_created_at": time}

    large = [line(order, item, order % 3) for order in (1, 2) for item in range(250)]
    both.load(OLDER, gold_of_rows(fact_orders=[*large, *(line(order, 1, 0) for order in range(3, 30))]))
    orders = [row["order_id"] for row in both.newest(FrontendTable.ORDER)]
    assert orders == [f"o-{order:02}" for order in range(1, 21)]
    prices = [(row["sku_id"], row["unit_price"]) for row in both.newest(FrontendTable.PRODUCTS_SKU)]
    assert prices == [("s-1", "0.00"), ("s-2", "0.00"), ("s-0", "1.00")]


def test_ids_that_are_missing_are_no_rows_and_those_that_differ_by_case_are_two(both: Both) -> None:
    orders: list[dict[str, Any]] = [
        {"order_id": "o-1", "payment_id": "Y", "payment_amount": Decimal("1.00")},
        {"order_id": "o-2", "payment_id": "y", "payment_amount": Decimal("2.00")},
        {"order_id": "o-3"},
    ]
    products = [{"product_id": "p", "subcategory_name": "Cups"}, {"product_id": "P", "category_name": "Ü"}]
    both.load(OLDER, gold_of_rows(fact_orders=orders, dim_products=products))
    assert [row["payment_id"] for row in both.newest(FrontendTable.PAYMENT)] == ["Y", "y"]
    assert both.newest(FrontendTable.PRODUCTS_SKU) == []
    assert both.newest(FrontendTable.CATEGORY) == [{"category_name": "Ü"}]
    assert both.newest(FrontendTable.SUBCATEGORY) == [{"subcategory_name": "Cups", "category_name": None}]


def test_users_of_a_dataset_are_those_of_no_other_dataset_and_owner(both: Both) -> None:
    both.load(OLDER, gold_of_rows(dim_users=[{"user_id": "b"}, {"user_id": "B"}, {"user_id": "a"}]))
    both.load(NEWER, gold_of_rows(dim_users=[{"user_id": "c"}]))
    both.load(replace(OLDER, owner_id=OTHER), gold_of_rows(dim_users=[{"user_id": "d"}]))
    assert both.user_ids(OLDER) == ["B", "a", "b"]
    assert [row["user_id"] for row in both.newest(FrontendTable.USER, OTHER)] == ["d"]


def test_a_database_without_a_schema_is_unavailable(tmp_path: Path) -> None:
    tables = FrontendTables(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with pytest.raises(Unavailable, match="python -m backend migrate"):
        tables.newest(OWNER, FrontendTable.USER, 20)
    tables.close()
