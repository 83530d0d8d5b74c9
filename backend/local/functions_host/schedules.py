"""When a timer trigger is due: NCRONTAB expressions and TimeSpans."""

from collections.abc import Callable
from datetime import UTC, datetime

from croniter import CroniterError, croniter

from backend.local.functions_host.errors import InvalidFunctionApp
from backend.local.functions_host.time_spans import TimeSpan

_FIELDS = 6

Schedule = Callable[[datetime], datetime]


def parse_schedule(text: str) -> Schedule:
    """A function that gives the first due time after a given one (UTC).

    `{second} {minute} {hour} {day} {month} {day-of-week}`, where a day has to suit both day fields,
    or a TimeSpan as the constant time between two runs.

    Raises:
        InvalidFunctionApp: the text is neither.
    """
    if ":" in text:
        return _constant(text)
    if len(text.split()) != _FIELDS:
        raise InvalidFunctionApp(f"the schedule {text!r} is neither six NCRONTAB fields nor a TimeSpan")
    try:
        croniter(text, second_at_beginning=True)
    except CroniterError as error:
        raise InvalidFunctionApp(f"the schedule {text!r}: {error}") from error

    def next_after(moment: datetime) -> datetime:
        # Unlike cron, NCRONTAB wants both the day of the month and the day of the week to match.
        due = croniter(text, moment.astimezone(UTC), second_at_beginning=True, day_or=False)
        return due.get_next(datetime)

    return next_after


def _constant(text: str) -> Schedule:
    try:
        interval = TimeSpan.parse(text)
    except ValueError as error:
        raise InvalidFunctionApp(f"the schedule {error}") from error
    if not interval:
        raise InvalidFunctionApp(f"the schedule {text!r} leaves no time between two runs")
    return lambda moment: moment + interval
