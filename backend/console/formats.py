"""How the page writes numbers, times and sizes."""

from datetime import UTC, datetime

from flask import Flask

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024
_MINUTE = 60
_HOUR = 3600


def install_formats(app: Flask) -> None:
    """Let templates use them as filters."""
    app.jinja_env.filters.update(
        count=count, size=size, moment=moment, machine_moment=machine_moment, duration=duration, words=words
    )


def count(number: int) -> str:
    """1234567 as 1,234,567."""
    return f"{number:,}"


def size(number: float) -> str:
    """Bytes in the largest unit that they fill."""
    for unit in _UNITS[:-1]:
        if number < _STEP:
            return f"{number:.0f} {unit}" if unit == _UNITS[0] else f"{number:.1f} {unit}"
        number /= _STEP
    return f"{number:.1f} {_UNITS[-1]}"


def moment(time: datetime | None) -> str:
    """A time in UTC, to the second."""
    return "" if time is None else time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def machine_moment(time: datetime | None) -> str:
    """A time as HTML's `datetime` wants it."""
    return "" if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(seconds: float) -> str:
    """A stretch of time, as roughly as people say it."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"


def words(code: str) -> str:
    """`missing_order_id` as missing order id."""
    return code.replace("_", " ")
