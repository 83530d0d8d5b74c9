"""The DuckDB way: `read_json` and SQL, all of it in one database in memory."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from tests.benchmarks.comparison.subset import (
    ABSENT_WORDS,
    CHECKED_COLUMNS,
    EMAIL,
    GREATEST_PRICE,
    GREATEST_QUANTITY,
    LATEST_ORDER,
    POSTAL_CODE,
    QUARANTINE,
    SILVER,
    SILVER_COLUMNS,
    STATUSES,
    USERS,
)

_COLUMNS = {
    "user": "STRUCT(id VARCHAR, real_name VARCHAR, email VARCHAR)",
    "address": "STRUCT(city VARCHAR, postal_code VARCHAR)",
    "category": "STRUCT(name VARCHAR)",
    "product": "STRUCT(id VARCHAR, name VARCHAR)",
    "products_sku": "STRUCT(price DOUBLE)",
    "payment": "STRUCT(status VARCHAR)",
    "order": "STRUCT(id VARCHAR, create_time VARCHAR, updated_at VARCHAR)",
    "order_item": "STRUCT(id VARCHAR, quantity BIGINT)",
}


def clean(parts: Sequence[Path], out: Path) -> None:
    """Write Silver, the quarantine and the figures of users."""
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _COLUMNS.items())
    files = ", ".join(f"'{part}'" for part in parts)
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = true")
        database.execute(f"CREATE MACRO present(field) AS {_PRESENT}")
        database.execute(
            "CREATE MACRO no_invalid(t) AS CASE WHEN NOT starts_with(lower(t), 'invalid') THEN t END"
        )
        database.execute(
            f"CREATE TABLE records AS SELECT *, row_number() OVER () AS place FROM read_json([{files}],"
            f" format='array', columns={{{columns}}}, maximum_object_size=67108864, filename=true)"
        )
        database.execute(f"CREATE TABLE raw AS {_RAW}")
        database.execute(f"CREATE TABLE cleaned AS {_CLEANED}")
        database.execute(f"CREATE TABLE silver AS {_SILVER}")
        for file, query in ((SILVER, _WRITTEN), (QUARANTINE, _QUARANTINE), (USERS, _USERS)):
            database.execute(f"COPY ({query}) TO '{out / file}' (FORMAT parquet, COMPRESSION snappy)")


_ABSENT = ", ".join(f"'{word}'" for word in ABSENT_WORDS)
_PRESENT = (
    rf"CASE WHEN lower(trim(regexp_replace(field, '\s+', ' ', 'g'))) NOT IN ({_ABSENT})"
    r" THEN trim(regexp_replace(field, '\s+', ' ', 'g')) END"
)
_RAW = """
    SELECT parse_filename(filename) AS source_part,
        row_number() OVER (PARTITION BY filename ORDER BY place) - 1 AS source_row,
        present("order".id) AS order_id, present("user".id) AS user_id,
        present(order_item.id) AS order_item_id, present(product.id) AS product_id,
        present("user".real_name) AS full_name, present(address.city) AS city,
        present(product.name) AS product_name, present(category.name) AS category_name,
        lower(present("user".email)) AS email, upper(present(address.postal_code)) AS postal_code,
        lower(present(payment.status)) AS payment_status,
        products_sku.price AS unit_price, order_item.quantity AS quantity,
        present("order".create_time) AS order_created_at, present("order".updated_at) AS order_updated_at
    FROM records
"""
_EMAIL = EMAIL.replace("'", "''")
_TEXTS = ("order_id", "user_id", "full_name", "city", "product_name", "category_name")
_VALUES = f"""
    {", ".join(f"no_invalid({name}) AS {name}" for name in _TEXTS)},
    CASE WHEN regexp_matches(email, '{_EMAIL}') AND length(email) <= 254 THEN email END AS email,
    CASE WHEN regexp_matches(postal_code, '{POSTAL_CODE}') AND regexp_matches(postal_code, '[0-9]')
        THEN no_invalid(postal_code) END AS postal_code,
    CASE WHEN payment_status IN {STATUSES} THEN payment_status END AS payment_status,
    CASE WHEN unit_price BETWEEN 0 AND {GREATEST_PRICE} THEN unit_price::DECIMAL(12,2) END AS unit_price,
    CASE WHEN quantity BETWEEN 1 AND {GREATEST_QUANTITY} THEN quantity::INTEGER END AS quantity,
    CASE WHEN try_cast(order_created_at AS TIMESTAMP) <= TIMESTAMP '{LATEST_ORDER}'
        THEN try_cast(order_created_at AS TIMESTAMP)::TIMESTAMPTZ END AS order_created_at,
    try_cast(order_updated_at AS TIMESTAMP)::TIMESTAMPTZ AS order_updated_at
"""
_CODES = ", ".join(
    f"CASE WHEN raw.{name} IS NULL THEN 'missing_{name}' WHEN v.{name} IS NULL THEN 'invalid_{name}' END"
    for name in CHECKED_COLUMNS
)
_CLEANED = f"""
    SELECT raw.source_part, raw.source_row, raw.order_item_id, raw.product_id,
        v.* EXCLUDE (source_part, source_row, order_updated_at),
        (v.unit_price::DECIMAL(18,2) * v.quantity)::DECIMAL(18,2) AS line_amount,
        CASE WHEN v.order_created_at IS NULL OR v.order_updated_at >= v.order_created_at
            THEN v.order_updated_at END AS order_updated_at,
        list_sort(list_filter([{_CODES}], lambda code: code IS NOT NULL)) AS issues
    FROM raw JOIN (SELECT source_part, source_row, {_VALUES} FROM raw) v USING (source_part, source_row)
"""
_SILVER = """
    SELECT * FROM cleaned WHERE order_id IS NOT NULL AND user_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY order_id, order_item_id
        ORDER BY order_updated_at DESC NULLS LAST, source_part, source_row) = 1
"""
_WRITTEN = f"SELECT {', '.join(SILVER_COLUMNS)}, issues FROM silver"
_QUARANTINE = """
    SELECT source_part, source_row, list_filter([CASE WHEN order_id IS NULL THEN 'missing_order_id' END,
        CASE WHEN user_id IS NULL THEN 'missing_user_id' END], lambda reason: reason IS NOT NULL) AS reasons
    FROM cleaned WHERE order_id IS NULL OR user_id IS NULL
"""
_USERS = """
    SELECT user_id, count(DISTINCT order_id) AS order_count, coalesce(sum(quantity), 0)::BIGINT AS units,
        coalesce(sum(line_amount) FILTER (payment_status = 'success'), 0)::DECIMAL(18,2) AS total_spent
    FROM silver GROUP BY user_id
"""
