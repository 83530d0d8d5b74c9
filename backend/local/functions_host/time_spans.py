""".NET TimeSpan texts, as host.json and timer triggers hold them."""

import re
from datetime import timedelta
from typing import Self

_TIME_SPAN = re.compile(
    r"(?:(?P<days>[0-9]+)\.)?(?P<hours>[01]?[0-9]|2[0-3]):(?P<minutes>[0-5]?[0-9]):(?P<seconds>[0-5]?[0-9])"
    r"(?:\.(?P<fraction>[0-9]{1,7}))?"
)


class TimeSpan(timedelta):
    """A timedelta that is written `[d.]hh:mm:ss[.fffffff]`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a TimeSpan; the seventh decimal, which a timedelta can't hold, is dropped.

        Raises:
            ValueError: the text is no TimeSpan.
        """
        match = _TIME_SPAN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a TimeSpan of the form [d.]hh:mm:ss[.fffffff]")
        return cls(
            days=int(match["days"] or 0),
            hours=int(match["hours"]),
            minutes=int(match["minutes"]),
            seconds=int(match["seconds"]),
            microseconds=int((match["fraction"] or "").ljust(6, "0")[:6]),
        )
