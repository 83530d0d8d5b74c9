"""The tables of the existing frontend, as views of Gold in the operational database.

Imports no Arrow: the API reads these without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, RowMapping, Select, and_, select
from sqlalchemy.engine import Connection

from backend.adapters.database_engine import open_engine, transaction
from backend.adapters.operational_schema import GOLD, GOLD_LOADS
from backend.ports import FrontendTable
from backend.transformations.gold_columns import GOLD_COLUMNS, Kind
from backend.transformations.manifest import utc_text

_ROWS_AT_ONCE = 100
"""Mostly enough for the newest 20 ids, each of which may have several rows."""

_COLUMNS = {table.name: tuple(column.name for column in table.columns) for table in GOLD_COLUMNS}
_INSTANTS = {column.name for table in GOLD_COLUMNS for column in table.columns if column.kind is Kind.INSTANT}


@dataclass(frozen=True, slots=True)
class _View:
    """How a table is read.

    Attributes:
        source: the Gold table.
        columns: what a row shows.
        key: what tells rows apart within a dataset; rows whose first part of it is null are left out.
        time: what makes one row newer than another.
        repeats: whether a key, of one column, has several rows in the source; the newest of them is shown.
        names: whether the key, all that is shown, means the same in every dataset, and is shown once.
    """

    source: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    time: str | None = None
    repeats: bool = False
    names: bool = False


def _of_orders(*columns: str) -> _View:
    return _View("fact_orders", columns, columns[:1], "order_created_at", repeats=True)


def _of_names(*columns: str) -> _View:
    return _View("dim_products", columns, columns, names=True)


# Not the wishlist: the data contract ignores wishlists, so Gold has none.
_VIEWS = {
    FrontendTable.USER: _View("dim_users", _COLUMNS["dim_users"], ("user_id",), "user_created_at"),
    FrontendTable.ADDRESS: _View("dim_location", _COLUMNS["dim_location"], ("location_id",)),
    FrontendTable.CATEGORY: _of_names("category_name"),
    FrontendTable.SUBCATEGORY: _of_names("subcategory_name", "category_name"),
    FrontendTable.PRODUCT: _View("dim_products", _COLUMNS["dim_products"], ("product_id",)),
    FrontendTable.PRODUCTS_SKU: _of_orders("sku_id", "product_id", "unit_price"),
    FrontendTable.PAYMENT: _of_orders("payment_id", "payment_amount", "payment_provider", "payment_status"),
    FrontendTable.ORDER: _of_orders(
        "order_id", "user_id", "payment_id", "order_created_at", "order_updated_at"
    ),
    FrontendTable.ORDER_ITEM: _View(
        "fact_orders", _COLUMNS["fact_orders"], ("order_id", "order_item_key"), "order_created_at"
    ),
}


class FrontendTables:
    """Implements `OperationalTables`.

    Args:
        url: SQLAlchemy's URL of the database.

    Raises:
        InvalidSettings: the URL names no database that can be used.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)

    def newest(self, owner_id: str, table: FrontendTable, limit: int) -> list[dict[str, Any]]:
        """The newest rows of a table that belong to a user. Raises Unavailable."""
        view = _VIEWS.get(table)
        if view is None:
            return []
        rows: list[dict[str, Any]] = []
        with transaction(self._engine) as connection:
            # One by one: mostly the newest dataset alone has rows enough, and the others are not touched.
            for dataset_id in _newest_datasets(connection, owner_id):
                found = map(_json_row, _newest_rows(connection, view, owner_id, dataset_id, limit))
                rows.extend(row for row in found if not view.names or row not in rows)
                if len(rows) >= limit:
                    break
        return rows[:limit]

    def user_ids(self, owner_id: str, dataset_id: str) -> list[str]:
        """The ids of the users in one dataset, sorted. Raises Unavailable."""
        users = GOLD["dim_users"]
        here = and_(users.c.owner_id == owner_id, users.c.dataset_id == dataset_id)
        with transaction(self._engine) as connection:
            return list(connection.scalars(select(users.c.user_id).where(here).order_by(users.c.user_id)))

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _newest_datasets(connection: Connection, owner_id: str) -> list[str]:
    # Job ids count the time down: of two jobs of one moment the smaller id is the later.
    newest_first = (GOLD_LOADS.c.as_of.desc(), GOLD_LOADS.c.job_id)
    query = select(GOLD_LOADS.c.dataset_id).where(GOLD_LOADS.c.owner_id == owner_id)
    return list(connection.scalars(query.order_by(*newest_first)))


def _newest_rows(
    connection: Connection, view: _View, owner_id: str, dataset_id: str, limit: int
) -> Sequence[RowMapping]:
    """The newest rows of one dataset, newest first."""
    query = _query(view, owner_id, dataset_id)
    if view.repeats:
        return _newest_of_each(connection, query, GOLD[view.source].c[view.key[0]], limit)
    return connection.execute(query.limit(limit)).mappings().all()


def _newest_of_each(
    connection: Connection, query: Select[Any], key: Column[Any], limit: int
) -> list[RowMapping]:
    """The newest row of each key, newest first.

    Some rows at a time: a database finds the first few without sorting, or numbering, the whole dataset.
    """
    newest: dict[Any, RowMapping] = {}
    while len(newest) < limit:
        others = query.where(key.not_in(list(newest))).limit(_ROWS_AT_ONCE)
        rows = connection.execute(others).mappings().all()
        for row in rows:
            newest.setdefault(row[key.name], row)
        if len(rows) < _ROWS_AT_ONCE:
            break
    return list(newest.values())[:limit]


def _query(view: _View, owner_id: str, dataset_id: str) -> Select[Any]:
    """The rows of one dataset, newest first. SQLite and MySQL both take null for the oldest time."""
    source = GOLD[view.source]
    newest_first = [source.c[view.time].desc()] if view.time else []
    # A key's rows of one time have an order too, so that every reading shows the same one.
    ties: list[Column[Any]] = list(source.primary_key) if view.repeats else []
    query = (
        select(*(source.c[name] for name in view.columns))
        .where(source.c.owner_id == owner_id)
        .where(source.c.dataset_id == dataset_id)
        .where(source.c[view.key[0]].is_not(None))
        .order_by(*newest_first, *(source.c[name] for name in view.key), *ties)
    )
    return query.distinct() if view.names else query


def _json_row(row: RowMapping) -> dict[str, Any]:
    return {name: _json_value(name, value) for name, value in row.items()}


def _json_value(name: str, value: Any) -> Any:
    """The same on every database, and as the tables of a job show it."""
    if name in _INSTANTS and value is not None:
        return _instant_text(value)
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _instant_text(value: str | datetime) -> str:
    # SQLite keeps text; MySQL a time without its zone, which is UTC.
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value.replace(tzinfo=UTC)
    return utc_text(moment)
