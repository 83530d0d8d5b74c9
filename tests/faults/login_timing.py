"""Whether the time that a login takes tells that a user exists."""

from dataclasses import dataclass
from statistics import median, quantiles

from tests.faults.attacked_api import AttackedApi

GREATEST_DIFFERENCE_SECONDS = 0.010
"""Between the lower quartiles. Verifying a password takes twice as long, which would show if left out."""

GREATEST_SHARE = 0.25
"""The same on a machine that is so busy that all takes longer: without verifying, little would be left."""

_WARM_UP = 5


@dataclass(frozen=True)
class LoginTimes:
    """Seconds, in the order in which they were measured: one and one by turns."""

    known: list[float]
    unknown: list[float]

    @property
    def tries(self) -> int:
        return len(self.known) + len(self.unknown)

    @property
    def alike(self) -> bool:
        """By the quarter that is disturbed least: what else the machine has to do only lengthens a call."""
        known, unknown = _lower_quartile(self.known), _lower_quartile(self.unknown)
        return abs(known - unknown) <= max(GREATEST_DIFFERENCE_SECONDS, GREATEST_SHARE * min(known, unknown))

    @property
    def outcome(self) -> str:
        """In words."""
        known, unknown = median(self.known) * 1000, median(self.unknown) * 1000
        return f"median {known:.1f} ms for known users, {unknown:.1f} ms for unknown ones"


def _lower_quartile(seconds: list[float]) -> float:
    return quantiles(seconds, n=4)[0]


def compare_logins(api: AttackedApi, username: str, tries: int) -> LoginTimes:
    """Log in with wrong passwords, as a user who exists and as others who do not."""
    times = LoginTimes([], [])
    for number in range(_WARM_UP + tries):
        for name, seconds in ((username, times.known), (f"nobody-{number:08}", times.unknown)):
            took, status = api.seconds("POST", "/login", {"username": name, "password": f"guess {number}"})
            assert status == 401
            if number >= _WARM_UP:
                seconds.append(took)
    return times
