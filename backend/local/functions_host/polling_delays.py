"""How long the host pauses between two looks at an empty queue."""

import random
from datetime import timedelta

MINIMUM_DELAY = timedelta(milliseconds=100)
_RANDOMIZATION = 0.2


class PollingDelays:
    """Azure's randomized exponential back-off: from 100 ms up to the maximum, which then stays.

    The step is the queues extension's: minimum + minimum x 2^n x (0.8 to 1.2).
    """

    def __init__(self, maximum: timedelta, generator: random.Random) -> None:
        self._maximum = max(maximum, MINIMUM_DELAY)
        self._generator = generator
        self._exponent = 0

    def found_messages(self) -> None:
        """Begin again with the minimum."""
        self._exponent = 0

    def next(self) -> timedelta:
        """The pause after one more look that found nothing."""
        if self._exponent == 0:
            self._exponent = 1
            return MINIMUM_DELAY
        spread = self._generator.uniform(1 - _RANDOMIZATION, 1 + _RANDOMIZATION)
        delay = MINIMUM_DELAY + MINIMUM_DELAY * (spread * (1 << (self._exponent - 1)))
        if delay >= self._maximum:
            return self._maximum
        self._exponent += 1
        return delay
