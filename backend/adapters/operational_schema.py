"""The tables of the operational database. Migrations (`migrations/`) make them; nothing else does."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
)
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.types import TypeEngine

from backend.transformations.gold_columns import GOLD_COLUMNS, GoldColumn, GoldTableColumns, Kind

SCHEMA_VERSION = "0003"
"""The migration that this code needs; the newest one."""

METADATA = MetaData()

# Ids that differ by case or accent are different ids, on every database.
_MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}

# SQLite has no exact decimal and no time: text keeps every digit.
_INSTANT = DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb").with_variant(String(27), "sqlite")
_TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.INT32: Integer(),
    Kind.INT64: BigInteger(),
    Kind.DOUBLE: Double(),
    Kind.MONEY: Numeric(12, 2).with_variant(String(13), "sqlite"),
    Kind.MONEY_SUM: Numeric(18, 2).with_variant(String(19), "sqlite"),
    Kind.DATE: Date().with_variant(String(10), "sqlite"),
    Kind.INSTANT: _INSTANT,
    Kind.BOOL: Boolean(),
}

KEY_SUFFIX = "_key"
"""Of the column that stands in the primary key for one that may be null."""

OWNER = ("owner_id", "dataset_id", "job_id")

USERS = Table(
    "users",
    METADATA,
    Column("user_id", String(32), primary_key=True),
    Column("username", String(64), nullable=False),
    # Databases differ in how they compare text; a username is unique by this column alone.
    Column("username_lowered", String(64), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
    **_MYSQL,
)

CREDENTIAL_ATTEMPTS = Table(
    "credential_attempts",
    METADATA,
    Column("key_digest", String(64), primary_key=True),
    Column("attempts", Integer, nullable=False),
    # Seconds since 1970.
    Column("ends_at", BigInteger, nullable=False),
    **_MYSQL,
)

GOLD_LOADS = Table(
    "gold_loads",
    METADATA,
    Column("owner_id", String(32), primary_key=True),
    Column("dataset_id", String(128), primary_key=True),
    Column("job_id", String(32), nullable=False),
    Column("as_of", _INSTANT, nullable=False),
    Column("loaded_at", _INSTANT, nullable=False),
    **_MYSQL,
)
"""Whose rows of a dataset stand in the tables: those of the latest job."""


def key_column(table: GoldTableColumns, name: str) -> str:
    """The column of the primary key that stands for a column of the natural key."""
    return f"{name.removesuffix('_id')}{KEY_SUFFIX}" if name in table.nullable_key else name


def _type(column: GoldColumn) -> TypeEngine[Any]:
    return String(column.length) if column.kind is Kind.TEXT else _TYPES[column.kind]


def _gold_table(table: GoldTableColumns) -> Table:
    plain_keys = set(table.key) - set(table.nullable_key)
    return Table(
        table.name,
        METADATA,
        Column("owner_id", String(32), primary_key=True),
        Column("dataset_id", String(128), primary_key=True),
        *(
            Column(key_column(table, key.name), _type(key), primary_key=True, autoincrement=False)
            for name in table.key
            for key in table.columns
            if key.name == name
        ),
        Column("job_id", String(32), nullable=False),
        *(Column(each.name, _type(each)) for each in table.columns if each.name not in plain_keys),
        **_MYSQL,
    )


GOLD = {table.name: _gold_table(table) for table in GOLD_COLUMNS}
