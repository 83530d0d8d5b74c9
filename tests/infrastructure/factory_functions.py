"""The functions of Data Factory's expressions that this project uses, as Microsoft documents them.

https://learn.microsoft.com/azure/data-factory/control-flow-expression-language-functions
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.infrastructure.expressions import as_text

_ISO = "yyyy-MM-ddTHH:mm:ss.fffffffK"
_DATE_PARTS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


def factory_functions(now: Callable[[], datetime]) -> dict[str, Callable[..., Any]]:
    """The functions by name; what depends on a run (activity, variables, …) is not among them."""
    return {
        "addDays": lambda moment, days: _added(moment, timedelta(days=days)),
        "addHours": lambda moment, hours: _added(moment, timedelta(hours=hours)),
        "and": lambda one, other: _truth(one) and _truth(other),
        "coalesce": lambda *values: next((value for value in values if value is not None), None),
        "concat": lambda *texts: "".join(map(_only_text, texts)),
        "equals": lambda one, other: one == other,
        "formatDateTime": lambda moment, form: _formatted(_moment(moment), form),
        "greater": lambda one, other: one > other,
        "if": lambda condition, then, otherwise: then if _truth(condition) else otherwise,
        "json": json.loads,
        "length": len,
        "not": lambda one: not _truth(one),
        "string": as_text,
        "utcNow": lambda form=_ISO: _formatted(now(), form),
    }


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _only_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"concat() takes texts, and not {value!r}")
    return value


def _added(moment: str, span: timedelta) -> str:
    return _formatted(_moment(moment) + span, _ISO)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _formatted(moment: datetime, form: str) -> str:
    if form == _ISO:
        return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"
    for part, directive in _DATE_PARTS.items():
        form = form.replace(part, directive)
    return moment.strftime(form)
