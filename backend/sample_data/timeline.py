"""When things happen in the sample data: fixed dates, so that a seed means the same data on any day."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

CUSTOMERS_FROM = np.datetime64("2021-01-01T00:00:00.000000")
"""Customers register from here until the first order."""

ORDERS_FROM = np.datetime64("2024-01-01T00:00:00.000000")
ORDERS_UNTIL = np.datetime64("2026-01-01T00:00:00.000000")
"""Orders are made in these two years."""

AGES_ON = date(2026, 1, 1)
"""The day on which `user.age` is right."""

_SPACE = ord(" ")
_T_POSITION = len("2024-01-01")

Times = NDArray[np.datetime64]


def spelled(times: Times) -> list[str]:
    """Times as the shop writes them: `2026-11-22 19:24:33.703631`."""
    texts = np.datetime_as_string(times.astype("datetime64[us]"), unit="us")
    width = texts.dtype.itemsize // 4
    # NumPy puts a T before the time; its strings are rows of UCS-4 characters, so that a column can be set.
    texts.view(np.uint32).reshape(len(texts), width)[:, _T_POSITION] = _SPACE
    spelled_times: list[str] = texts.tolist()
    return spelled_times


def days(counts: NDArray[np.int64]) -> NDArray[np.timedelta64]:
    """Whole days as a span that can be added to times."""
    return counts.astype("timedelta64[D]").astype("timedelta64[us]")


def microseconds(counts: NDArray[np.int64]) -> NDArray[np.timedelta64]:
    """Microseconds as a span that can be added to times."""
    return counts.astype("timedelta64[us]")


def microseconds_between(start: np.datetime64, end: np.datetime64) -> int:
    """The length of a span."""
    return int((end - start) / np.timedelta64(1, "us"))
