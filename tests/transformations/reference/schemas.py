"""The Arrow schema of every table, as sections 3 and 4 list it."""

import pyarrow as pa

STRING = pa.string()
STRINGS = pa.list_(pa.string())
BOOL = pa.bool_()
DATE = pa.date32()
INSTANT = pa.timestamp("us", tz="UTC")
INT32 = pa.int32()
INT64 = pa.int64()
DOUBLE = pa.float64()
MONEY = pa.decimal128(12, 2)
MONEY_SUM = pa.decimal128(18, 2)

SCHEMAS: dict[str, pa.Schema] = {
    "silver": pa.schema(
        [
            ("order_id", STRING),
            ("order_item_id", STRING),
            ("user_id", STRING),
            ("username", STRING),
            ("full_name", STRING),
            ("email", STRING),
            ("phone", STRING),
            ("sex", STRING),
            ("job", STRING),
            ("company", STRING),
            ("birth_date", DATE),
            ("age", INT32),
            ("user_created_at", INSTANT),
            ("address_line", STRING),
            ("city", STRING),
            ("postal_code", STRING),
            ("country", STRING),
            ("country_code", STRING),
            ("location_id", STRING),
            ("product_id", STRING),
            ("product_name", STRING),
            ("subcategory_name", STRING),
            ("category_name", STRING),
            ("sku_id", STRING),
            ("unit_price", MONEY),
            ("quantity", INT32),
            ("line_amount", MONEY_SUM),
            ("payment_id", STRING),
            ("payment_amount", MONEY),
            ("payment_provider", STRING),
            ("payment_status", STRING),
            ("order_created_at", INSTANT),
            ("order_updated_at", INSTANT),
            ("issues", STRINGS),
            ("quality_score", INT32),
            ("source_part", STRING),
            ("source_row", INT64),
            ("processed_at", INSTANT),
        ]
    ),
    "quarantine": pa.schema(
        [("source_part", STRING), ("source_row", INT64), ("reasons", STRINGS), ("raw", STRING)]
    ),
    "dim_users": pa.schema(
        [
            ("user_id", STRING),
            ("username", STRING),
            ("full_name", STRING),
            ("email", STRING),
            ("phone", STRING),
            ("sex", STRING),
            ("job", STRING),
            ("company", STRING),
            ("birth_date", DATE),
            ("age", INT32),
            ("country_code", STRING),
            ("country", STRING),
            ("city", STRING),
            ("postal_code", STRING),
            ("location_id", STRING),
            ("user_created_at", INSTANT),
            ("age_group", STRING),
        ]
    ),
    "dim_location": pa.schema(
        [
            ("location_id", STRING),
            ("country_code", STRING),
            ("country", STRING),
            ("city", STRING),
            ("postal_code", STRING),
        ]
    ),
    "dim_products": pa.schema(
        [
            ("product_id", STRING),
            ("product_name", STRING),
            ("category_name", STRING),
            ("subcategory_name", STRING),
        ]
    ),
    "dim_time": pa.schema(
        [
            ("date_id", INT32),
            ("date", DATE),
            ("year", INT32),
            ("quarter", INT32),
            ("month", INT32),
            ("month_name", STRING),
            ("day", INT32),
            ("iso_weekday", INT32),
            ("day_name", STRING),
            ("iso_week", INT32),
            ("is_weekend", BOOL),
        ]
    ),
    "fact_orders": pa.schema(
        [
            ("order_item_id", STRING),
            ("order_id", STRING),
            ("user_id", STRING),
            ("product_id", STRING),
            ("sku_id", STRING),
            ("location_id", STRING),
            ("date_id", INT32),
            ("quantity", INT32),
            ("unit_price", MONEY),
            ("line_amount", MONEY_SUM),
            ("payment_id", STRING),
            ("payment_amount", MONEY),
            ("payment_provider", STRING),
            ("payment_status", STRING),
            ("order_created_at", INSTANT),
            ("order_updated_at", INSTANT),
            ("quality_score", INT32),
        ]
    ),
    "agg_user_metrics": pa.schema(
        [
            ("user_id", STRING),
            ("order_count", INT64),
            ("units", INT64),
            ("total_spent", MONEY_SUM),
            ("refunded_amount", MONEY_SUM),
            ("average_order_value", MONEY_SUM),
            ("first_order_at", INSTANT),
            ("last_order_at", INSTANT),
            ("average_quality_score", DOUBLE),
        ]
    ),
    "agg_product_metrics": pa.schema(
        [
            ("product_id", STRING),
            ("product_name", STRING),
            ("category_name", STRING),
            ("order_count", INT64),
            ("units_sold", INT64),
            ("revenue", MONEY_SUM),
            ("customer_count", INT64),
            ("average_unit_price", MONEY_SUM),
        ]
    ),
}

GOLD_TABLES = tuple(name for name in SCHEMAS if name not in ("silver", "quarantine"))
