"""The plain way to clean with Spark, to measure ours against: its JSON reader and its own expressions.

For a handful of the rules only, with a schema given, so that Spark need not read everything twice to infer
it: email, price, quantity, the order's time, duplicates; Silver, a fact table and one aggregation.
"""

from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

_SCHEMA = """
    user struct<id string, username string, real_name string, phone_number string, sex string, job string,
        company string, email string, birth_of_date string, age string, create_time string>,
    address struct<address_line string, country string, city string, postal_code string>,
    category struct<name string>, subcategory struct<name string>, product struct<id string, name string>,
    products_sku struct<id string, price string>,
    payment struct<id string, amount string, provider string, status string>,
    order struct<id string, user_id string, payment_id string, create_time string, updated_at string>,
    order_item struct<id string, order_id string, products_sku_id string, quantity string>
"""
_EMAIL = r"^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$"


def plain_session(folder: Path, cores: int) -> SparkSession:
    """A session as Spark sets it up itself, but for where it keeps its files."""
    builder = SparkSession.builder.master(f"local[{cores}]").config("spark.local.dir", str(folder))
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    session = builder.config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def clean_plainly(spark: SparkSession, parts: Sequence[Path], out: Path) -> None:
    """Write `silver`, `fact_orders` and `agg_user_metrics` below `out`."""
    records = spark.read.schema(_SCHEMA).option("multiLine", "true").json([str(part) for part in parts])
    silver_folder = str(out / "silver")
    _latest(_silver(records)).write.parquet(silver_folder)
    silver = spark.read.parquet(silver_folder)
    silver.select(
        "order_id", "order_item_id", "user_id", "product_id", "quantity", "unit_price", "line_amount"
    ).write.parquet(str(out / "fact_orders"))
    silver.groupBy("user_id").agg(
        F.count_distinct("order_id").alias("order_count"), F.sum("line_amount").alias("total_spent")
    ).write.parquet(str(out / "agg_user_metrics"))


def _silver(records: DataFrame) -> DataFrame:
    email = F.lower(_text("user.email"))
    price = F.regexp_replace(_text("products_sku.price"), r"[$€£¥,]", "").try_cast("decimal(12,2)")
    quantity = _text("order_item.quantity").try_cast("int")
    return records.select(
        _text("order.id").alias("order_id"),
        _text("order_item.id").alias("order_item_id"),
        _text("user.id").alias("user_id"),
        _text("user.username").alias("username"),
        _text("user.real_name").alias("full_name"),
        F.when(email.rlike(_EMAIL), email).alias("email"),
        F.regexp_replace("user.phone_number", r"[^0-9+]", "").alias("phone"),
        *(
            _text(f"address.{name}").alias(name)
            for name in ("address_line", "country", "city", "postal_code")
        ),
        _text("product.id").alias("product_id"),
        _text("product.name").alias("product_name"),
        _text("category.name").alias("category_name"),
        price.alias("unit_price"),
        quantity.alias("quantity"),
        (price * quantity).alias("line_amount"),
        _text("payment.status").alias("payment_status"),
        F.try_to_timestamp(_text("order.create_time")).alias("order_created_at"),
        F.try_to_timestamp(_text("order.updated_at")).alias("order_updated_at"),
        F.input_file_name().alias("source_part"),
    ).where("order_id is not null and user_id is not null")


def _text(field: str) -> Column:
    squashed = F.trim(F.regexp_replace(field, r"\s+", " "))
    return F.when(~F.lower(squashed).isin("", "null", "none", "n/a", "nan", "undefined", "-", "--"), squashed)


def _latest(silver: DataFrame) -> DataFrame:
    latest_first = Window.partitionBy("order_id", "order_item_id").orderBy(
        F.col("order_updated_at").desc_nulls_last(), "source_part"
    )
    ranked = silver.withColumn("rank", F.row_number().over(latest_first))
    return ranked.where("rank = 1").drop("rank")
