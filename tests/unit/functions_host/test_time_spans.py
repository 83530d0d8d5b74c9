from datetime import timedelta

import pytest

from backend.local.functions_host.time_spans import TimeSpan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00:10", timedelta(seconds=10)),
        ("1:02:03", timedelta(hours=1, minutes=2, seconds=3)),
        ("00:00:00.500", timedelta(milliseconds=500)),
        ("00:00:00.1234567", timedelta(microseconds=123456)),
        ("7.23:59:59", timedelta(days=7, hours=23, minutes=59, seconds=59)),
    ],
)
def test_a_time_span_is_days_hours_minutes_seconds_and_a_fraction(text: str, expected: timedelta) -> None:
    assert TimeSpan.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "10", "24:00:00", "00:60:00", "00:00", "-00:00:01", "00:00:01 ", "\u0660\u0660:00:01"]
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a TimeSpan"):
        TimeSpan.parse(text)
