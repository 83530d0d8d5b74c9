"""Pictures of a job's quality and Gold, as tables of numbers: a script draws them, a reader hears them."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from backend.console.formats import words

if TYPE_CHECKING:
    from backend.services.gold_figures import GoldFigures

_WHOLE = 100
_SCORE_STEP = 5
_BEST_SCORE = 100
_MOST_DAYS = 92


class ChartKind(StrEnum):
    """How a chart is drawn."""

    BARS = "bars"
    STACKED_BARS = "stacked"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one kind, one for each label; `unit` stands behind each."""

    name: str
    values: tuple[float, ...]
    unit: str = ""
    on_second_axis: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Attributes:
        name: an id, unique on its page.
        title: what it shows, as a sentence would.
        over: what its labels are.
    """

    name: str
    title: str
    kind: ChartKind
    over: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]


def quality_charts(metrics: dict[str, Any]) -> list[Chart]:
    """The charts of a job's metrics log (data.md, section 5). Those without any data are left out."""
    charts = [
        _issues_by_column(metrics["issuesByCode"]),
        _completeness(metrics["completeness"]),
        _scores(metrics["scoreDistribution"]),
        _quarantined(metrics["quarantinedByReason"]),
    ]
    return [chart for chart in charts if chart.labels]


def gold_charts(figures: "GoldFigures") -> list[Chart]:
    """The charts of a job's Gold. Those without any data are left out."""
    charts = [_days(figures), _products(figures), _countries(figures)]
    return [chart for chart in charts if chart.labels]


def _issues_by_column(issues: dict[str, int]) -> Chart:
    """A code is a kind and a column: missing_email, invalid_email, mismatched_order_user."""
    kinds: dict[str, dict[str, int]] = {}
    for code, number in issues.items():
        kind, _, column = code.partition("_")
        kinds.setdefault(kind, {})[column] = number
    totals = {column: sum(each.get(column, 0) for each in kinds.values()) for column in _columns(kinds)}
    columns = sorted(totals, key=lambda column: (-totals[column], column))
    return Chart(
        "issues",
        "Issues by column",
        ChartKind.STACKED_BARS,
        "Column",
        tuple(words(column) for column in columns),
        tuple(
            Series(kind, tuple(kinds[kind].get(column, 0) for column in columns)) for kind in sorted(kinds)
        ),
    )


def _columns(kinds: dict[str, dict[str, int]]) -> set[str]:
    return {column for each in kinds.values() for column in each}


def _completeness(completeness: dict[str, dict[str, float]]) -> Chart:
    """What is missing, since that is what one looks for; columns that lack nothing are left out."""
    gaps = {
        column: (1 - each["before"], 1 - each["after"])
        for column, each in completeness.items()
        if min(each.values()) < 1
    }
    columns = sorted(gaps, key=lambda column: (-max(gaps[column]), column))
    before, after = (tuple(round(_WHOLE * gaps[column][when], 2) for column in columns) for when in (0, 1))
    return Chart(
        "completeness",
        "Completeness: what each column lacked, and lacks",
        ChartKind.BARS,
        "Column",
        tuple(words(column) for column in columns),
        (Series("missing as it came", before, "%"), Series("missing when cleaned", after, "%")),
    )


def _scores(distribution: dict[str, int]) -> Chart:
    rows = {int(score): number for score, number in distribution.items()}
    scores = range(min(rows), _BEST_SCORE + 1, _SCORE_STEP) if rows else ()
    return Chart(
        "scores",
        "Rows by quality score",
        ChartKind.BARS,
        "Score",
        tuple(str(score) for score in scores),
        (Series("rows", tuple(rows.get(score, 0) for score in scores)),),
    )


def _quarantined(reasons: dict[str, int]) -> Chart:
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return Chart(
        "quarantined",
        "Quarantined records by reason",
        ChartKind.BARS,
        "Reason",
        tuple(words(reason) for reason, _ in ordered),
        (Series("records", tuple(number for _, number in ordered)),),
    )


def _days(figures: "GoldFigures") -> Chart:
    by_month = len(figures.days) > _MOST_DAYS
    orders: dict[str, int] = {}
    revenue: dict[str, Decimal] = {}
    for each in figures.days:
        label = each.day.strftime("%Y-%m") if by_month else each.day.isoformat()
        orders[label] = orders.get(label, 0) + each.orders
        revenue[label] = revenue.get(label, Decimal(0)) + each.revenue
    return Chart(
        "days",
        "Orders and revenue over time",
        ChartKind.LINES,
        "Month" if by_month else "Day",
        tuple(orders),
        (
            Series("orders", tuple(orders.values())),
            Series("revenue", tuple(float(amount) for amount in revenue.values()), on_second_axis=True),
        ),
    )


def _products(figures: "GoldFigures") -> Chart:
    return Chart(
        "products",
        "Top products by revenue",
        ChartKind.BARS,
        "Product",
        tuple(each.product for each in figures.products),
        (Series("revenue", tuple(float(each.revenue) for each in figures.products)),),
    )


def _countries(figures: "GoldFigures") -> Chart:
    return Chart(
        "countries",
        "Users by country",
        ChartKind.BARS,
        "Country",
        tuple(country for country, _ in figures.countries),
        (Series("users", tuple(users for _, users in figures.countries)),),
    )
