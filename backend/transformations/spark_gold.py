"""Gold from Silver with Spark's native expressions, for the large path (data.md, section 4).

Stands beside `arrow_gold.py` and executes the same declarations; the parity tests hold the two together.
"""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType

from backend.transformations import gold_tables as gold
from backend.transformations.contract import SOURCE_PART, SOURCE_ROW
from backend.transformations.gold_tables import Aggregation, Dimension, Function, Measure, Ratio

_GREATEST_INT64 = (1 << 63) - 1
_LATEST = "_latest"
_MONEY = DecimalType(18, 2)
_MONEY_COLUMNS = ("unit_price", "line_amount", "payment_amount")


def build_gold(silver: DataFrame) -> dict[str, DataFrame]:
    """Every Gold table, by name, as a plan; nothing runs yet.

    A sum that does not fit its column fails when the plan runs, by ANSI mode's check of the cast.
    """
    tables = {dimension.name: _dimension(dimension, silver) for dimension in gold.DIMENSIONS}
    tables[gold.DIM_TIME] = _dim_time(silver)
    tables[gold.FACT_ORDERS] = silver.withColumn(gold.DATE_ID, _date_id(_date())).select(*gold.FACT_COLUMNS)
    for aggregation in gold.AGGREGATIONS:
        tables[aggregation.name] = _aggregate(aggregation, silver)
    return {name: tables[name] for name in gold.TABLES}


def _latest(columns: tuple[str, ...]) -> Column:
    """The columns of the latest row of a group, as a struct."""
    newest_first = F.coalesce(-F.unix_micros(gold.CREATED_AT), F.lit(_GREATEST_INT64))
    order = F.struct(newest_first, F.col(SOURCE_PART.name), F.col(SOURCE_ROW.name))
    return F.min_by(F.struct(*columns), order).alias(_LATEST)


def _dimension(dimension: Dimension, silver: DataFrame) -> DataFrame:
    present = silver.where(F.col(dimension.key).isNotNull())
    rows = present.groupBy(dimension.key).agg(_latest(dimension.columns)).select(f"{_LATEST}.*")
    return rows.withColumn(gold.AGE_GROUP, _age_group()) if dimension.age_group else rows


def _age_group() -> Column:
    age = F.col("age")
    groups = reduce(
        lambda column, group: column.when(age <= group[0], group[1]),
        gold.AGE_GROUPS,
        F.when(age.isNull(), gold.UNKNOWN_AGE_GROUP),
    )
    return groups.otherwise(gold.OLDEST_AGE_GROUP)


def _date() -> Column:
    """The UTC date of order_created_at; the session's time zone is UTC."""
    return F.to_date(gold.CREATED_AT)


def _date_id(date: Column) -> Column:
    return (F.year(date) * 10_000 + F.month(date) * 100 + F.dayofmonth(date)).cast("int")


def _dim_time(silver: DataFrame) -> DataFrame:
    bounds = silver.agg(F.min(_date()).alias("first"), F.max(_date()).alias("last")).where(
        "first is not null"
    )
    days = bounds.select(F.explode(F.sequence("first", "last")).alias("date"))
    date = F.col("date")
    weekday = F.weekday(date) + 1
    return days.select(
        _date_id(date).alias(gold.DATE_ID),
        date,
        F.year(date).alias("year"),
        F.quarter(date).alias("quarter"),
        F.month(date).alias("month"),
        _named(gold.MONTH_NAMES, F.month(date)).alias("month_name"),
        F.dayofmonth(date).alias("day"),
        weekday.alias("iso_weekday"),
        _named(gold.DAY_NAMES, weekday).alias("day_name"),
        F.weekofyear(date).alias("iso_week"),
        (weekday >= gold.SATURDAY).alias("is_weekend"),
    )


def _named(names: tuple[str, ...], number: Column) -> Column:
    return F.element_at(F.array(*map(F.lit, names)), number)


def _aggregate(aggregation: Aggregation, silver: DataFrame) -> DataFrame:
    present = silver.where(F.col(aggregation.key).isNotNull())
    measured = [_value(name, measure) for name, measure in aggregation.measures.items()]
    latest = [_latest(aggregation.latest)] if aggregation.latest else []
    rows = present.groupBy(aggregation.key).agg(*latest, *measured)
    carried = [F.col(f"{_LATEST}.{name}") for name in aggregation.latest]
    return rows.select(aggregation.key, *carried, *aggregation.measures)


def _value(name: str, measure: Measure | Ratio) -> Column:
    return (_quotient(measure) if isinstance(measure, Ratio) else _measured(measure)).alias(name)


def _measured(measure: Measure) -> Column:
    column = F.col(measure.column)
    if measure.status is not None:
        column = F.when(F.col(gold.PAYMENT_STATUS) == measure.status, column)
    match measure.function:
        case Function.SUM if measure.column in _MONEY_COLUMNS:
            return F.coalesce(F.sum(column), F.lit(0)).cast(_MONEY)
        case Function.SUM:
            return F.coalesce(F.sum(column.cast("long")), F.lit(0).cast("long"))
        case Function.COUNT:
            return F.count(column)
        case Function.COUNT_DISTINCT:
            return F.count_distinct(column)
        case Function.MIN:
            return F.min(column)
        case Function.MAX:
            return F.max(column)


def _quotient(ratio: Ratio) -> Column:
    numerator, denominator = _measured(ratio.numerator), _measured(ratio.denominator)
    defined = F.when(denominator != 0, denominator)
    if not ratio.cents:
        return numerator.cast("double") / defined.cast("double")
    cents = (numerator * 100).cast("long")
    # Half up without a fraction: twice the quotient, one more, halved. `div` is integer division.
    halves = F.call_function("div", cents * 2 + defined, defined * 2)
    return (halves.cast(DecimalType(20, 0)) / 100).cast(_MONEY)
