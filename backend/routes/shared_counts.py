"""The counts behind the limits: those that all processes share or, while they are silent, this process's."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from limits.storage import MemoryStorage, Storage

from backend.domain.errors import Unavailable
from backend.ports import AttemptCounts

_log = logging.getLogger(__name__)

_SILENT_SECONDS = 10
_Count = TypeVar("_Count", int, float)


class SharedCounts(Storage):
    """The storage of the library `limits`, over our own.

    Where a limit is kept must not decide whether anybody can log in: the counts of this process stand in for
    those that do not answer, which are not asked again for some seconds.

    Args:
        shared: gives the counts that all processes share; called when they are first needed.
    """

    STORAGE_SCHEME = None

    def __init__(self, shared: Callable[[], AttemptCounts]) -> None:
        super().__init__()
        self._shared = shared
        self._own = MemoryStorage()
        self._silent_until = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a count may raise: nothing."""
        return Unavailable

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count; how many the window has now."""
        return self._ask(
            lambda counts: counts.add(key, amount, expiry), lambda: self._own.incr(key, expiry, amount)
        )

    def get(self, key: str) -> int:
        """How many the present window has."""
        return self._ask(lambda counts: counts.window(key)[0], lambda: self._own.get(key))

    def get_expiry(self, key: str) -> float:
        """When the present window ends, in seconds since 1970."""
        return self._ask(lambda counts: float(counts.window(key)[1]), lambda: self._own.get_expiry(key))

    def check(self) -> bool:
        """Whether it can count: always."""
        return True

    def reset(self) -> int | None:
        """Not for us to do: others count here too."""
        raise NotImplementedError

    def clear(self, key: str) -> None:
        """Not for us to do: others count here too."""
        raise NotImplementedError

    def _ask(self, shared: Callable[[AttemptCounts], _Count], own: Callable[[], _Count]) -> _Count:
        if time.monotonic() < self._silent_until:
            return own()
        try:
            return shared(self._shared())
        except Unavailable as error:
            _log.warning("limits are counted by this process alone for a while: %s", error)
            self._silent_until = time.monotonic() + _SILENT_SECONDS
            return own()
