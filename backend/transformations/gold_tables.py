"""What the Gold tables hold: data.md, section 4, as declarations, which `arrow_gold.py` executes."""

from dataclasses import dataclass
from enum import Enum

MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SATURDAY = 6

AGE_GROUP = "age_group"
AGE_GROUPS = ((17, "13-17"), (24, "18-24"), (34, "25-34"), (49, "35-49"), (64, "50-64"))
OLDEST_AGE_GROUP = "65+"
UNKNOWN_AGE_GROUP = "unknown"

DATE_ID = "date_id"
CREATED_AT = "order_created_at"
PAYMENT_STATUS = "payment_status"

DIM_TIME = "dim_time"
FACT_ORDERS = "fact_orders"


class Function(Enum):
    """How the rows of one key become one number."""

    SUM = "sum"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Measure:
    """A function over a column, nulls left out.

    Attributes:
        status: only over rows with this payment status; over all of them when None.
    """

    function: Function
    column: str
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """One measure divided by another, from the exact quotient; null where the divisor is 0.

    Attributes:
        cents: whether the result is money, rounded half up to cents; else it is a double.
    """

    numerator: Measure
    denominator: Measure
    cents: bool


@dataclass(frozen=True, slots=True)
class Dimension:
    """One row per key, with columns of the key's latest row.

    Attributes:
        age_group: whether the row's age group follows the columns.
    """

    name: str
    key: str
    columns: tuple[str, ...]
    age_group: bool = False


@dataclass(frozen=True, slots=True)
class Aggregation:
    """One row per key, with columns of its latest row and measures over all of its rows."""

    name: str
    key: str
    latest: tuple[str, ...]
    measures: dict[str, Measure | Ratio]


_SUCCESS = "success"
_SPENT = Measure(Function.SUM, "line_amount", _SUCCESS)
_ORDERS = Measure(Function.COUNT_DISTINCT, "order_id")

DIMENSIONS = (
    Dimension(
        "dim_users",
        "user_id",
        (
            "user_id",
            "username",
            "full_name",
            "email",
            "phone",
            "sex",
            "job",
            "company",
            "birth_date",
            "age",
            "country_code",
            "country",
            "city",
            "postal_code",
            "location_id",
            "user_created_at",
        ),
        age_group=True,
    ),
    Dimension(
        "dim_location", "location_id", ("location_id", "country_code", "country", "city", "postal_code")
    ),
    Dimension(
        "dim_products", "product_id", ("product_id", "product_name", "category_name", "subcategory_name")
    ),
)

DIM_TIME_COLUMNS = (
    DATE_ID,
    "date",
    "year",
    "quarter",
    "month",
    "month_name",
    "day",
    "iso_weekday",
    "day_name",
    "iso_week",
    "is_weekend",
)

FACT_COLUMNS = (
    "order_item_id",
    "order_id",
    "user_id",
    "product_id",
    "sku_id",
    "location_id",
    DATE_ID,
    "quantity",
    "unit_price",
    "line_amount",
    "payment_id",
    "payment_amount",
    "payment_provider",
    "payment_status",
    "order_created_at",
    "order_updated_at",
    "quality_score",
)

AGGREGATIONS = (
    Aggregation(
        "agg_user_metrics",
        "user_id",
        (),
        {
            "order_count": _ORDERS,
            "units": Measure(Function.SUM, "quantity"),
            "total_spent": _SPENT,
            "refunded_amount": Measure(Function.SUM, "line_amount", "refunded"),
            "average_order_value": Ratio(
                _SPENT, Measure(Function.COUNT_DISTINCT, "order_id", _SUCCESS), cents=True
            ),
            "first_order_at": Measure(Function.MIN, CREATED_AT),
            "last_order_at": Measure(Function.MAX, CREATED_AT),
            "average_quality_score": Ratio(
                Measure(Function.SUM, "quality_score"), Measure(Function.COUNT, "quality_score"), cents=False
            ),
        },
    ),
    Aggregation(
        "agg_product_metrics",
        "product_id",
        ("product_name", "category_name"),
        {
            "order_count": _ORDERS,
            "units_sold": Measure(Function.SUM, "quantity", _SUCCESS),
            "revenue": _SPENT,
            "customer_count": Measure(Function.COUNT_DISTINCT, "user_id"),
            "average_unit_price": Ratio(
                Measure(Function.SUM, "unit_price"), Measure(Function.COUNT, "unit_price"), cents=True
            ),
        },
    ),
)

TABLES = (
    *(dimension.name for dimension in DIMENSIONS),
    DIM_TIME,
    FACT_ORDERS,
    *(aggregation.name for aggregation in AGGREGATIONS),
)

BY_NAME: dict[str, Dimension | Aggregation] = {table.name: table for table in (*DIMENSIONS, *AGGREGATIONS)}
"""The tables with one row per key."""
