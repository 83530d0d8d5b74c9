"""Gold: its tables, and whose rows of each dataset stand in them."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"

_OPTIONS: dict[str, Any] = {
    # MySQL can't take back a table that was created: a migration that was broken off is run again.
    "if_not_exists": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
_INSTANT = (
    sa.DateTime()
    .with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    .with_variant(sa.String(27), "sqlite")
)
_DATE = sa.Date().with_variant(sa.String(10), "sqlite")


def _money(digits: int) -> TypeEngine[Any]:
    return sa.Numeric(digits, 2).with_variant(sa.String(digits + 1), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "gold_loads",
        sa.Column("owner_id", sa.String(32), primary_key=True),
        sa.Column("dataset_id", sa.String(128), primary_key=True),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("as_of", _INSTANT, nullable=False),
        sa.Column("loaded_at", _INSTANT, nullable=False),
        **_OPTIONS,
    )
    op.create_table(
        "dim_users",
        sa.Column("owner_id", sa.String(32), primary_key=True),
        sa.Column("dataset_id", sa.String(128), primary_key=True),
        sa.Column("user_id", sa.String(255), primary_key=True),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("username", sa.String(1000)),
        sa.Column("full_name", sa.String(1000)),
        sa.Column("email", sa.String(254)),
        sa.Column("phone", sa.String(32)),
        sa.Column("sex", sa.String(6)),
        sa.Column("job", sa.String(1000)),
        sa.Column("company", sa.String(1000)),
        sa.Column("birth_date", _DATE),
        sa.Column("age", sa.Integer()),
        sa.Column("country_code", sa.String(2)),
        sa.Column("country", sa.String(1000)),
        sa.Column("city", sa.String(1000)),
        sa.Column("postal_code", sa.String(10)),
        sa.Column("location_id", sa.String(16)),
        sa.Column("user_created_at", _INSTANT),
        sa.Column("age_group", sa.String(7)),
        **_OPTIONS,
    )
    op.create_table(
        "dim_location",
        sa.Column("owner_id", sa.String(32), primary_key=True),
        sa.Column("dataset_id", sa.String(128), primary_key=True),
        sa.Column("location_id", sa.String(16), primary_key=True),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("country_code", sa.String(2)),
        sa.Column("country", sa.String(1000)),
        sa.Column("city", sa.String(1000)),
        sa.Column("postal_code", sa.String(10)),
        **_OPTIONS,
    )
    op.create_table(
        "dim_products",
        sa.Column("owner_id", sa.String(32), primary_key=True),
        sa.Column("dataset_id", sa.String(128), primary_key=True),
        sa.Column("product_id", sa.String(255), primary_key=True),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("product_name", sa.String(1000)),
        sa.Column("category_name", sa.String(1000)),
        sa.Column("subcategory_name", sa.String(1000)),
        **_OPTIONS,
    )
    op.create_table(
        "dim_time",
        sa.Column("owner_id", sa.String(32), primary_key=True),
        sa.Column("dataset_id", sa.String(128), primary_key=True),
        sa.Column("date_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("date", _DATE),
        sa.Column("year", sa.Integer()),
        sa.Column("quarter", sa.Integer()),
        sa.Column("month", sa.Integer()),
        sa.Column("month_name", sa.String(9)),
        sa.Column("day", sa.Integer()),
        sa.Column("iso_weekday", sa.Integer()),
        sa.Column("day_name", sa.String(9)),
        sa.Column("iso_week", sa.Integer()),
        sa.Column("is_weekend", sa.Boolean()),
        **_OPTIONS,
    )
    op.create_table(
        "fact_orders",
        sa.Column("owner_id", sa.String(32), primary_key=True),
        sa.Column("dataset_id", sa.String(128), primary_key=True),
        sa.Column("order_id", sa.String(255), primary_key=True),
        sa.Column("order_item_key", sa.String(255), primary_key=True),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("order_item_id", sa.String(255)),
        sa.Column("user_id", sa.String(255)),
        sa.Column("product_id", sa.String(255)),
        sa.Column("sku_id", sa.String(255)),
        sa.Column("location_id", sa.String(16)),
        sa.Column("date_id", sa.Integer()),
        sa.Column("quantity", sa.Integer()),
        sa.Column("unit_price", _money(12)),
        sa.Column("line_amount", _money(18)),
        sa.Column("payment_id", sa.String(255)),
        sa.Column("payment_amount", _money(12)),
        sa.Column("payment_provider", sa.String(1000)),
        sa.Column("payment_status", sa.String(8)),
        sa.Column("order_created_at", _INSTANT),
        sa.Column("order_updated_at", _INSTANT),
        sa.Column("quality_score", sa.Integer()),
        **_OPTIONS,
    )
    op.create_table(
        "agg_user_metrics",
        sa.Column("owner_id", sa.String(32), primary_key=True),
        sa.Column("dataset_id", sa.String(128), primary_key=True),
        sa.Column("user_id", sa.String(255), primary_key=True),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("order_count", sa.BigInteger()),
        sa.Column("units", sa.BigInteger()),
        sa.Column("total_spent", _money(18)),
        sa.Column("refunded_amount", _money(18)),
        sa.Column("average_order_value", _money(18)),
        sa.Column("first_order_at", _INSTANT),
        sa.Column("last_order_at", _INSTANT),
        sa.Column("average_quality_score", sa.Double()),
        **_OPTIONS,
    )
    op.create_table(
        "agg_product_metrics",
        sa.Column("owner_id", sa.String(32), primary_key=True),
        sa.Column("dataset_id", sa.String(128), primary_key=True),
        sa.Column("product_id", sa.String(255), primary_key=True),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("product_name", sa.String(1000)),
        sa.Column("category_name", sa.String(1000)),
        sa.Column("order_count", sa.BigInteger()),
        sa.Column("units_sold", sa.BigInteger()),
        sa.Column("revenue", _money(18)),
        sa.Column("customer_count", sa.BigInteger()),
        sa.Column("average_unit_price", _money(18)),
        **_OPTIONS,
    )


def downgrade() -> None:
    """Drop them."""
    for table in (
        "gold_loads",
        "dim_users",
        "dim_location",
        "dim_products",
        "dim_time",
        "fact_orders",
        "agg_user_metrics",
        "agg_product_metrics",
    ):
        op.drop_table(table)
