"""The part of the data contract that every way fulfils, in words that each of them can use.

Of data.md's Silver these columns with their rules, but for what JSON of other shapes would need (a number
where text belongs, an entity that is none, white space beyond ASCII's); the issues of the checked ones; the
quarantine with its reasons; duplicates; and of Gold some figures of each user.
"""

SILVER_COLUMNS = (
    "order_id",
    "order_item_id",
    "user_id",
    "full_name",
    "email",
    "city",
    "postal_code",
    "product_id",
    "product_name",
    "category_name",
    "unit_price",
    "quantity",
    "line_amount",
    "payment_status",
    "order_created_at",
    "order_updated_at",
)
CHECKED_COLUMNS = (
    "full_name",
    "email",
    "city",
    "postal_code",
    "product_name",
    "category_name",
    "unit_price",
    "quantity",
    "payment_status",
    "order_created_at",
)
QUARANTINE_COLUMNS = ("source_part", "source_row", "reasons")
USER_COLUMNS = ("user_id", "order_count", "units", "total_spent")

ABSENT_WORDS = ("", "null", "none", "n/a", "#n/a", "nan", "undefined", "-", "--")
STATUSES = ("success", "pending", "failed", "refunded")
EMAIL = (
    r"^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$"
)
POSTAL_CODE = r"^[A-Z0-9][A-Z0-9 -]{1,8}[A-Z0-9]$"
INSTANT = "%Y-%m-%d %H:%M:%S%.f"

GREATEST_PRICE = 1_000_000
GREATEST_QUANTITY = 100_000
LATEST_ORDER = "2026-11-23 21:00:00"
"""A day after the moment that everything is cleaned as of."""

SILVER, QUARANTINE, USERS = "silver.parquet", "quarantine.parquet", "agg_user_metrics.parquet"
