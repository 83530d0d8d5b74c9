"""Gold from Silver with Arrow kernels (data.md, section 4), for both paths.

The small path has all of Silver at hand: `build_gold`. The large path asks each part for what it contributes
to a table, `gold_contribution`, and makes the table from the contributions of all parts to some of its keys,
`build_table`.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.domain.errors import ResultOverflow
from backend.transformations import gold_tables as gold
from backend.transformations.contract import SOURCE_PART, SOURCE_ROW
from backend.transformations.decimals import cents_of, decimals_of, divide_half_up
from backend.transformations.gold_tables import Aggregation, Dimension, Function, Measure, Ratio
from backend.transformations.instants import MICROSECONDS_PER_DAY
from backend.transformations.latest import latest_first
from backend.transformations.rules import DATE
from backend.transformations.scalars import mask

Integers = npt.NDArray[np.int64]

MONEY = pa.decimal128(18, 2)
_DATE = "date"
_ORDER = (gold.CREATED_AT, SOURCE_PART.name, SOURCE_ROW.name)
_WIDE_MONEY = pa.decimal128(38, 2)
_SUM_OF_NOTHING_IS_ZERO = pc.ScalarAggregateOptions(min_count=0)
_OPTIONS = {
    Function.SUM: _SUM_OF_NOTHING_IS_ZERO,
    Function.COUNT: pc.CountOptions("only_valid"),
    Function.COUNT_DISTINCT: pc.CountOptions("only_valid"),
    Function.MIN: None,
    Function.MAX: None,
}


def build_gold(silver: pa.Table) -> dict[str, pa.Table]:
    """Every Gold table, by name, with no rows where there are none.

    Args:
        silver: the dataset's Silver rows, duplicates removed.

    Raises:
        ResultOverflow: a sum does not fit its column.
    """
    ordered = _ordered(silver)
    dates = _dates(silver)
    tables = {dimension.name: _dimension(dimension, ordered) for dimension in gold.DIMENSIONS}
    tables[gold.DIM_TIME] = _dim_time(dates)
    tables[gold.FACT_ORDERS] = _fact_orders(silver, dates)
    for aggregation in gold.AGGREGATIONS:
        tables[aggregation.name] = _aggregate(aggregation, silver, ordered)
    return tables


def gold_contributions(silver: pa.Table) -> dict[str, pa.Table]:
    """What some Silver rows contribute to each Gold table, by the table's name.

    To a dimension its latest rows, to an aggregation the columns that it reads, to the days the first and the
    last; to the facts the facts.
    """
    ordered = _ordered(silver)
    dates = _dates(silver)
    contributions = {
        dimension.name: _latest_rows(dimension.key, _read_by_dimension(dimension), ordered)
        for dimension in gold.DIMENSIONS
    }
    bounds = pc.min_max(dates).as_py()
    contributions[gold.DIM_TIME] = pa.table({_DATE: pa.array([bounds["min"], bounds["max"]], DATE)})
    contributions[gold.FACT_ORDERS] = _fact_orders(silver, dates)
    for aggregation in gold.AGGREGATIONS:
        present = silver.filter(silver[aggregation.key].is_valid())
        contributions[aggregation.name] = present.select(_read_by_aggregation(aggregation))
    return contributions


def build_table(name: str, contributions: pa.Table) -> pa.Table:
    """The rows of a Gold table for the keys that occur, from all contributions to these keys.

    Raises:
        ResultOverflow: a sum does not fit its column.
    """
    match gold.BY_NAME.get(name):
        case Dimension() as dimension:
            return _dimension(dimension, _ordered(contributions))
        case Aggregation() as aggregation:
            ordered = _ordered(contributions) if aggregation.latest else contributions
            return _aggregate(aggregation, contributions, ordered)
        case None:
            return contributions if name == gold.FACT_ORDERS else _dim_time(contributions[_DATE])


def _ordered(silver: pa.Table) -> pa.Table:
    """The latest rows first."""
    return silver.take(pa.array(latest_first(silver, gold.CREATED_AT)))


def _read_by_dimension(dimension: Dimension) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*dimension.columns, *_ORDER)))


def _read_by_aggregation(aggregation: Aggregation) -> list[str]:
    measures = [part for measure in aggregation.measures.values() for part in _parts(measure)]
    status = [gold.PAYMENT_STATUS] if any(measure.status for measure in measures) else []
    order = _ORDER if aggregation.latest else ()
    read = (aggregation.key, *aggregation.latest, *(measure.column for measure in measures), *status, *order)
    return list(dict.fromkeys(read))


def _latest_rows(key: str, columns: tuple[str, ...], ordered: pa.Table) -> pa.Table:
    """The first row of each key, null keys left out; `ordered` has the latest rows first."""
    keys = ordered[key].combine_chunks().dictionary_encode()
    present = np.flatnonzero(mask(keys.is_valid()))
    codes = keys.indices.drop_null().to_numpy()
    _, first = np.unique(codes, return_index=True)
    return ordered.select(list(columns)).take(pa.array(present[first]))


def _dimension(dimension: Dimension, ordered: pa.Table) -> pa.Table:
    rows = _latest_rows(dimension.key, dimension.columns, ordered)
    if not dimension.age_group:
        return rows
    return rows.append_column(pa.field(gold.AGE_GROUP, pa.string()), _age_groups(rows["age"]))


def _age_groups(age: pa.ChunkedArray) -> pa.ChunkedArray:
    conditions = [pc.less_equal(age, oldest) for oldest, _ in gold.AGE_GROUPS]
    names = [name for _, name in gold.AGE_GROUPS]
    groups = pa.scalar(gold.OLDEST_AGE_GROUP)
    for condition, name in zip(reversed(conditions), reversed(names), strict=True):
        groups = pc.if_else(condition, name, groups)
    return pc.fill_null(groups, gold.UNKNOWN_AGE_GROUP)


def _dates(silver: pa.Table) -> pa.Array:
    """The UTC date of each row's order_created_at."""
    micros = silver[gold.CREATED_AT].cast(pa.int64()).combine_chunks()
    days = micros.fill_null(0).to_numpy() // MICROSECONDS_PER_DAY
    return pa.array(days.astype(np.int32), mask=mask(micros.is_null())).cast(DATE)


def _date_ids(dates: pa.Array) -> pa.Array:
    year_month = pc.add(pc.multiply(pc.year(dates), 10_000), pc.multiply(pc.month(dates), 100))
    return pc.add(year_month, pc.day(dates)).cast(pa.int32())


def _dim_time(dates: pa.Array) -> pa.Table:
    first, last = pc.min(dates).cast(pa.int32()).as_py(), pc.max(dates).cast(pa.int32()).as_py()
    days = np.arange(first, last + 1, dtype=np.int32) if first is not None else np.empty(0, np.int32)
    date = pa.array(days, pa.int32()).cast(DATE)
    weekday = pc.day_of_week(date, count_from_zero=False, week_start=1)
    month = pc.month(date)
    columns = (
        _date_ids(date),
        date,
        pc.year(date).cast(pa.int32()),
        pc.quarter(date).cast(pa.int32()),
        month.cast(pa.int32()),
        pa.array(gold.MONTH_NAMES).take(pc.subtract(month, 1)),
        pc.day(date).cast(pa.int32()),
        weekday.cast(pa.int32()),
        pa.array(gold.DAY_NAMES).take(pc.subtract(weekday, 1)),
        pc.iso_week(date).cast(pa.int32()),
        pc.greater_equal(weekday, gold.SATURDAY),
    )
    return pa.table(list(columns), names=list(gold.DIM_TIME_COLUMNS))


def _fact_orders(silver: pa.Table, dates: pa.Array) -> pa.Table:
    with_date = silver.append_column(gold.DATE_ID, _date_ids(dates))
    return with_date.select(list(gold.FACT_COLUMNS))


def _aggregate(aggregation: Aggregation, silver: pa.Table, ordered: pa.Table) -> pa.Table:
    values = _measure(aggregation, silver.filter(silver[aggregation.key].is_valid()))
    keys = values[aggregation.key]
    columns = {aggregation.key: keys}
    if aggregation.latest:
        latest = _latest_rows(aggregation.key, (aggregation.key, *aggregation.latest), ordered)
        places = pc.index_in(keys, value_set=latest[aggregation.key])
        columns |= {name: latest[name].take(places) for name in aggregation.latest}
    for name, measure in aggregation.measures.items():
        columns[name] = (
            _quotient(measure, values)
            if isinstance(measure, Ratio)
            else _fitting(name, values[repr(measure)])
        )
    return pa.table(columns)


def _measure(aggregation: Aggregation, rows: pa.Table) -> pa.Table:
    """The key, and every measure that the aggregation needs under its `repr`, a row per key."""
    measures = list(
        dict.fromkeys(part for measure in aggregation.measures.values() for part in _parts(measure))
    )
    names = [repr(measure) for measure in measures]
    inputs = [_input(measure, rows) for measure in measures]
    grouped = pa.table([rows[aggregation.key], *inputs], names=[aggregation.key, *names])
    # With threads the order of the groups would differ from run to run.
    result = grouped.group_by(aggregation.key, use_threads=False).aggregate(
        [
            (name, measure.function.value, _OPTIONS[measure.function])
            for name, measure in zip(names, measures, strict=True)
        ]
    )
    return result.select(
        [aggregation.key, *(f"{n}_{m.function.value}" for n, m in zip(names, measures, strict=True))]
    ).rename_columns([aggregation.key, *names])


def _parts(measure: Measure | Ratio) -> tuple[Measure, ...]:
    return (measure.numerator, measure.denominator) if isinstance(measure, Ratio) else (measure,)


def _input(measure: Measure, rows: pa.Table) -> pa.ChunkedArray:
    column = rows[measure.column]
    if measure.function is Function.SUM:
        column = column.cast(_WIDE_MONEY if pa.types.is_decimal(column.type) else pa.int64())
    if measure.status is None:
        return column
    holds = pc.equal(rows[gold.PAYMENT_STATUS], measure.status)
    return pc.if_else(holds, column, pa.scalar(None, column.type))


def _fitting(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_decimal(values.type):
        return values
    try:
        return values.cast(MONEY)
    except pa.ArrowInvalid as error:
        raise ResultOverflow(f"{name}: a sum does not fit {MONEY}") from error


def _quotient(ratio: Ratio, values: pa.Table) -> pa.Array:
    numerator = values[repr(ratio.numerator)].combine_chunks()
    denominator = values[repr(ratio.denominator)].to_numpy()
    if not ratio.cents:
        return pa.array(numerator.to_numpy() / denominator)
    defined = denominator != 0
    cents = divide_half_up(cents_of(numerator), np.where(defined, denominator, 1))
    return decimals_of(cents, defined, MONEY.precision)
