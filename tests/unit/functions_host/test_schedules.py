from datetime import UTC, datetime

import pytest

from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.schedules import parse_schedule

SUNDAY_EVENING = datetime(2026, 11, 22, 21, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("0 */5 * * * *", datetime(2026, 11, 22, 21, 5, 0, tzinfo=UTC)),
        ("*/10 * * * * *", datetime(2026, 11, 22, 21, 0, 10, tzinfo=UTC)),
        ("0 0 * * * *", datetime(2026, 11, 22, 22, 0, 0, tzinfo=UTC)),
        ("0 0 */10 * * *", datetime(2026, 11, 23, 0, 0, 0, tzinfo=UTC)),
        ("0 30 9 * * Mon-Fri", datetime(2026, 11, 23, 9, 30, 0, tzinfo=UTC)),
        ("0 30 9 * Jan *", datetime(2027, 1, 1, 9, 30, 0, tzinfo=UTC)),
        ("0 0 12 * * 0", datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)),
        ("00:10:00", datetime(2026, 11, 22, 21, 10, 0, tzinfo=UTC)),
        ("1.00:00:00", datetime(2026, 11, 23, 21, 0, 0, tzinfo=UTC)),
    ],
)
def test_the_next_due_time_follows_the_schedule(text: str, due: datetime) -> None:
    assert parse_schedule(text)(SUNDAY_EVENING) == due


def test_both_day_fields_have_to_match() -> None:
    # The first Friday that is a 13th, and not the next Friday or the next 13th.
    assert parse_schedule("0 0 0 13 * Fri")(SUNDAY_EVENING) == datetime(2027, 8, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "* * * * *", "61 * * * * *", "0 0 0 32 * *", "00:00:00", "25:00:00", "often"]
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(InvalidFunctionApp, match="schedule"):
        parse_schedule(text)
