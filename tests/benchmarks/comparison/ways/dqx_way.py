"""DQX on a warm local Spark, for the checking part: Spark reads, DQX judges and splits, Spark writes.

Nothing is turned into its type, no duplicate is removed, and no Gold is made.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import create_autospec

from databricks.labs.dqx import check_funcs
from databricks.labs.dqx.engine import DQEngineCore
from databricks.labs.dqx.rule import DQRowRule
from databricks.sdk import WorkspaceClient
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

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
    STATUSES,
)

_SCHEMA = """
    user struct<id string, real_name string, email string>, address struct<city string, postal_code string>,
    category struct<name string>, product struct<name string>, products_sku struct<price double>,
    payment struct<status string>, order struct<id string, create_time string>,
    order_item struct<id string, quantity bigint>
"""
_STATUSES = [f"'{status}'" for status in STATUSES]
_NOT_INVALID = "(?i)^invalid"


@contextmanager
def session(folder: Path) -> Iterator[Callable[[Sequence[Path], Path], None]]:
    """A warm session that checks."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[*]").config("spark.local.dir", str(folder))
    builder = builder.config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
    spark = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    # As DQX's own tests do: without a workspace there is nobody to count who uses it.
    engine = DQEngineCore(create_autospec(WorkspaceClient), spark)

    def check(parts: Sequence[Path], out: Path) -> None:
        fields = _fields(
            spark.read.schema(_SCHEMA).option("multiLine", "true").json([str(part) for part in parts])
        )
        checked = engine.apply_checks(fields, _rules()).persist()
        good, bad = checked.where("_errors is null"), checked.where("_errors is not null")
        good = good.select("order_id", "order_item_id", *CHECKED_COLUMNS, _names("_warnings", "issues"))
        good.write.parquet(str(out / SILVER))
        bad.select("order_item_id", _names("_errors", "reasons")).write.parquet(str(out / QUARANTINE))
        checked.unpersist()

    yield check
    spark.stop()


def _names(found: str, name: str) -> Column:
    names = F.array_sort(F.transform(found, lambda each: each["name"]))
    return F.coalesce(names, F.array().cast("array<string>")).alias(name)


def _fields(records: DataFrame) -> DataFrame:
    return records.select(
        _key("order.id").alias("order_id"),
        _key("user.id").alias("user_id"),
        _present("order_item.id").alias("order_item_id"),
        _present("user.real_name").alias("full_name"),
        _present("address.city").alias("city"),
        _present("product.name").alias("product_name"),
        _present("category.name").alias("category_name"),
        F.lower(_present("user.email")).alias("email"),
        F.upper(_present("address.postal_code")).alias("postal_code"),
        F.lower(_present("payment.status")).alias("payment_status"),
        F.col("products_sku.price").alias("unit_price"),
        F.col("order_item.quantity").alias("quantity"),
        _present("order.create_time").alias("order_created_at"),
    )


def _present(field: str) -> Column:
    text = F.trim(F.regexp_replace(field, r"\s+", " "))
    return F.when(~F.lower(text).isin(*ABSENT_WORDS), text)


def _key(field: str) -> Column:
    return F.when(~_present(field).rlike(_NOT_INVALID), _present(field))


def _rules() -> list[DQRowRule]:
    return [
        *(
            _rule(f"missing_{name}", check_funcs.is_not_null, name, "error")
            for name in ("order_id", "user_id")
        ),
        *(_rule(f"missing_{name}", check_funcs.is_not_null, name) for name in CHECKED_COLUMNS),
        *(
            _rule(f"invalid_{name}", check_funcs.regex_match, name, regex=_NOT_INVALID, negate=True)
            for name in ("full_name", "city", "product_name", "category_name")
        ),
        _rule("invalid_email", check_funcs.regex_match, "email", regex=EMAIL),
        _rule(
            "invalid_postal_code",
            check_funcs.regex_match,
            "postal_code",
            regex=f"^(?!INVALID)(?=.*[0-9]){POSTAL_CODE[1:]}",
        ),
        _rule(
            "invalid_payment_status",
            check_funcs.is_in_list,
            "payment_status",
            allowed=_STATUSES,
        ),
        _rule(
            "invalid_unit_price", check_funcs.is_in_range, "unit_price", min_limit=0, max_limit=GREATEST_PRICE
        ),
        _rule(
            "invalid_quantity", check_funcs.is_in_range, "quantity", min_limit=1, max_limit=GREATEST_QUANTITY
        ),
        _rule(
            "invalid_order_created_at",
            check_funcs.sql_expression,
            None,
            expression=f"coalesce(try_cast(order_created_at as timestamp) <= '{LATEST_ORDER}',"
            " order_created_at is null)",
        ),
    ]


def _rule(
    name: str,
    function: Callable[..., Column],
    column: str | None,
    criticality: str = "warn",
    **arguments: object,
) -> DQRowRule:
    return DQRowRule(
        name=name,
        criticality=criticality,
        check_func=function,
        column=column,
        check_func_kwargs=arguments,
    )
