"""The contract of this dataset, order lines of a shop: data.md, section 3, as a table."""

from datetime import timedelta

import pyarrow as pa

from backend.transformations.contract import Column, Contract, Reference
from backend.transformations.rules import (
    DATE,
    TIMESTAMP,
    Age,
    Choice,
    Country,
    Digest,
    Email,
    Identifier,
    Instant,
    Integer,
    Money,
    PastDate,
    Phone,
    PostalCode,
    Product,
    Text,
)

_TEXT = pa.string()
_TOLERANCE = timedelta(days=1)
_SEXES = {
    "m": "male",
    "male": "male",
    "f": "female",
    "female": "female",
    "other": "other",
    "x": "other",
    "non-binary": "other",
}
_STATUSES = {status: status for status in ("success", "pending", "failed", "refunded")}

ORDER_LINES = Contract(
    columns=(
        Column("order_id", _TEXT, Identifier(key=True), "order.id"),
        Column("order_item_id", _TEXT, Identifier(), "order_item.id"),
        Column("user_id", _TEXT, Identifier(key=True), "user.id"),
        Column("username", _TEXT, Text(), "user.username", checked=True),
        Column("full_name", _TEXT, Text(), "user.real_name", checked=True),
        Column("email", _TEXT, Email(), "user.email", checked=True),
        Column("phone", _TEXT, Phone(region="country_code"), "user.phone_number", checked=True),
        Column("sex", _TEXT, Choice(_SEXES), "user.sex", checked=True),
        Column("job", _TEXT, Text(), "user.job", checked=True),
        Column("company", _TEXT, Text(), "user.company", checked=True),
        Column("birth_date", DATE, PastDate(), "user.birth_of_date", checked=True),
        Column("age", pa.int32(), Age(13, 120, birth_date="birth_date"), "user.age", checked=True),
        Column("user_created_at", TIMESTAMP, Instant(at_most=_TOLERANCE), "user.create_time"),
        Column("address_line", _TEXT, Text(), "address.address_line", checked=True),
        Column("city", _TEXT, Text(), "address.city", checked=True),
        Column("postal_code", _TEXT, PostalCode(), "address.postal_code", checked=True),
        Column("country", _TEXT, Country("name"), "address.country", checked=True),
        Column("country_code", _TEXT, Country("alpha_2"), "address.country"),
        Column("location_id", _TEXT, Digest(("country_code", "city", "postal_code"), digits=16)),
        Column("product_id", _TEXT, Identifier(), "product.id"),
        Column("product_name", _TEXT, Text(), "product.name", checked=True),
        Column("subcategory_name", _TEXT, Text(), "subcategory.name"),
        Column("category_name", _TEXT, Text(), "category.name", checked=True),
        Column("sku_id", _TEXT, Identifier(), "products_sku.id"),
        Column("unit_price", pa.decimal128(12, 2), Money(12), "products_sku.price", checked=True),
        Column("quantity", pa.int32(), Integer(1, 100_000), "order_item.quantity", checked=True),
        Column("line_amount", pa.decimal128(18, 2), Product("unit_price", "quantity", precision=18)),
        Column("payment_id", _TEXT, Identifier(), "payment.id"),
        Column("payment_amount", pa.decimal128(12, 2), Money(12), "payment.amount", checked=True),
        Column("payment_provider", _TEXT, Text(), "payment.provider"),
        Column("payment_status", _TEXT, Choice(_STATUSES), "payment.status", checked=True),
        Column("order_created_at", TIMESTAMP, Instant(at_most=_TOLERANCE), "order.create_time", checked=True),
        Column("order_updated_at", TIMESTAMP, Instant(not_before="order_created_at"), "order.updated_at"),
    ),
    references=(
        Reference("mismatched_order_user", "order.user_id", "user_id"),
        Reference("mismatched_order_payment", "order.payment_id", "payment_id"),
        Reference("mismatched_item_order", "order_item.order_id", "order_id"),
        Reference("mismatched_item_sku", "order_item.products_sku_id", "sku_id"),
    ),
    required=("order_id", "user_id"),
    duplicate_key=("order_id", "order_item_id"),
    latest="order_updated_at",
)
