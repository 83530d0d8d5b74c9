"""Telling Spark which task of the next stage a row goes to.

Spark sends a row to the task that the hash of its key says. For a few keys that is a matter of luck: some
tasks get several of them, others none. So the keys are numbers chosen for the tasks that they lead to.
"""

from functools import cache
from itertools import count

_SEED = 42
_MASK = 0xFFFFFFFF


@cache
def slots(tasks: int) -> tuple[int, ...]:
    """For each of `tasks` tasks, a number that Spark's hash of an integer leads to it."""
    found: dict[int, int] = {}
    numbers = count()
    while len(found) < tasks:
        number = next(numbers)
        found.setdefault(_spark_hash(number) % tasks, number)
    return tuple(found[task] for task in range(tasks))


def _spark_hash(number: int) -> int:
    """Spark's `hash` of an integer: Murmur3 with 32 bits, as signed."""
    mixed = _rotated(number * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK
    value = _rotated(_SEED ^ mixed, 13) * 5 + 0xE6546B64 & _MASK
    value ^= 4
    value = (value ^ value >> 16) * 0x85EBCA6B & _MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK
    value ^= value >> 16
    return value - (1 << 32) if value >> 31 else value


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & _MASK
