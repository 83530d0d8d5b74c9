"""The rule `instant`: text to microseconds since 1970 in UTC (data.md, instant)."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.transformations.scalars import Mask, mask

Integers = npt.NDArray[np.int64]

MICROSECONDS_PER_SECOND = 1_000_000
MICROSECONDS_PER_DAY = 86_400 * MICROSECONDS_PER_SECOND

_EARLIEST = int(np.datetime64("1900-01-01", "us").astype(np.int64))
_LATEST = int(np.datetime64("9999-12-31T23:59:59.999999", "us").astype(np.int64))

# What Arrow reads itself, several times faster than by the groups of an expression.
_PLAIN_DATE = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_PLAIN_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?"
_PLAIN = f"^{_PLAIN_DATE}(?:[T ]{_PLAIN_TIME})?$"

_DATE = "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_TIME = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.](?P<fraction>[0-9]{1,9}))?)?"
_OFFSET = "(?: ?(?:[Zz]|(?P<sign>[+-])(?P<offset_hour>[0-9]{2}):?(?P<offset_minute>[0-9]{2})))?"
_SHAPES = (
    f"^{_DATE}(?:[T ]{_TIME}{_OFFSET})?$",
    "^(?P<year>[0-9]{4})/(?P<month>[0-9]{2})/(?P<day>[0-9]{2})$",
    "^(?P<month>[0-9]{2})/(?P<day>[0-9]{2})/(?P<year>[0-9]{4})$",
    "^(?P<epoch_seconds>[0-9]{10})$",
    "^(?P<epoch_milliseconds>[0-9]{13})$",
)


def parse_instants(text: pa.StringArray) -> tuple[Integers, Mask]:
    """Read instants.

    Returns:
        Microseconds since 1970 in UTC, and where the text was an instant; elsewhere the number is 0.
    """
    micros, valid = _plain_instants(text)
    left = np.flatnonzero(mask(text.is_valid()) & ~valid)
    for shape in _SHAPES:
        if not len(left):
            break
        fields = pc.extract_regex(text.take(pa.array(left)) if len(left) < len(text) else text, shape)
        matched = mask(fields.is_valid())
        rows = left[matched]
        micros[rows], valid[rows] = _instants(fields.filter(pa.array(matched)))
        left = left[~matched]
    valid &= (micros >= _EARLIEST) & (micros <= _LATEST)
    micros[~valid] = 0
    return micros, valid


def _plain_instants(text: pa.StringArray) -> tuple[Integers, Mask]:
    """Those without an offset that are written as most are; none when one is of a day like 30 February."""
    plain = pc.match_substring_regex(text, _PLAIN)
    try:
        read = pc.if_else(plain, text, pa.scalar(None, pa.string())).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return np.zeros(len(text), np.int64), np.zeros(len(text), np.bool_)
    micros: Integers = read.cast(pa.int64()).fill_null(0).to_numpy().copy()
    return micros, mask(plain)


def _instants(fields: pa.StructArray) -> tuple[Integers, Mask]:
    names = {field.name for field in fields.type}
    if "epoch_seconds" in names:
        seconds = _integers(fields, "epoch_seconds")
        return seconds * MICROSECONDS_PER_SECOND, np.ones(len(seconds), np.bool_)
    if "epoch_milliseconds" in names:
        milliseconds = _integers(fields, "epoch_milliseconds")
        return milliseconds * 1_000, np.ones(len(milliseconds), np.bool_)
    days, is_a_date = _days(*(_integers(fields, name) for name in ("year", "month", "day")))
    if "hour" not in names:
        return days * MICROSECONDS_PER_DAY, is_a_date
    micros, is_a_time = _time_of_day(fields)
    return days * MICROSECONDS_PER_DAY + micros, is_a_date & is_a_time


def _integers(fields: pa.StructArray, name: str) -> Integers:
    """A group's digits as numbers; an optional group that was not there as 0."""
    digits = pc.struct_field(fields, name)
    numbers: Integers = pc.if_else(pc.equal(digits, ""), "0", digits).cast(pa.int64()).to_numpy()
    return numbers


def _days(year: Integers, month: Integers, day: Integers) -> tuple[Integers, Mask]:
    """Days since 1970, and whether there is such a date."""
    months = (year - 1970) * 12 + (month - 1)
    month_start = months.astype("datetime64[M]").astype("datetime64[D]")
    date = month_start + (day - 1)
    exists = (
        (month >= 1) & (month <= 12) & (day >= 1) & (date.astype("datetime64[M]").astype(np.int64) == months)
    )
    return date.astype(np.int64), exists


def _time_of_day(fields: pa.StructArray) -> tuple[Integers, Mask]:
    """Microseconds since midnight UTC (negative or past a day when the offset says so), and validity."""
    hour, minute, second = (_integers(fields, name) for name in ("hour", "minute", "second"))
    offset_hour, offset_minute = _integers(fields, "offset_hour"), _integers(fields, "offset_minute")
    padded = pc.utf8_rpad(pc.struct_field(fields, "fraction"), 6, "0")
    fraction = pc.utf8_slice_codeunits(padded, 0, 6).cast(pa.int64()).to_numpy()
    east = np.where(mask(pc.equal(pc.struct_field(fields, "sign"), "-")), -1, 1)
    seconds = hour * 3600 + minute * 60 + second - east * (offset_hour * 3600 + offset_minute * 60)
    exists = (hour < 24) & (minute < 60) & (second < 60) & (offset_hour < 24) & (offset_minute < 60)
    return seconds * MICROSECONDS_PER_SECOND + fraction, exists
