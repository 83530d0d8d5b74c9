import random
from datetime import timedelta

from backend.local.functions_host.polling_delays import PollingDelays


class _Middle(random.Random):
    """Chooses the middle of every range."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def _milliseconds(delays: PollingDelays, count: int) -> list[float]:
    return [delays.next().total_seconds() * 1000 for _ in range(count)]


def test_the_pause_grows_exponentially_from_100_ms_to_the_maximum() -> None:
    delays = PollingDelays(timedelta(seconds=1), _Middle())

    assert _milliseconds(delays, 7) == [100, 200, 300, 500, 900, 1000, 1000]


def test_a_found_message_brings_the_pause_back_to_100_ms() -> None:
    delays = PollingDelays(timedelta(seconds=1), _Middle())
    _milliseconds(delays, 10)

    delays.found_messages()

    assert _milliseconds(delays, 2) == [100, 200]


def test_each_step_is_spread_by_a_fifth_to_both_sides() -> None:
    second_pauses = []
    for seed in range(200):
        delays = PollingDelays(timedelta(seconds=1), random.Random(seed))
        second_pauses.append(_milliseconds(delays, 2)[1])

    assert 180 <= min(second_pauses) < 185
    assert 215 < max(second_pauses) <= 220


def test_a_maximum_below_the_minimum_counts_as_the_minimum() -> None:
    assert _milliseconds(PollingDelays(timedelta(0), _Middle()), 3) == [100, 100, 100]
