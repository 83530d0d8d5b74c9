"""The large path of an environment that does not say where Spark is."""

from dataclasses import dataclass
from typing import NoReturn

from backend.domain.errors import Unavailable
from backend.domain.messages import LargeBatchMessage


@dataclass(frozen=True, slots=True)
class UnconfiguredSpark:
    """Implements `SparkJobs`: jobs wait for it, and say `reason`, until the settings are mended."""

    reason: str

    def start(self, message: LargeBatchMessage) -> NoReturn:  # noqa: ARG002 - the port's
        """Raise Unavailable."""
        self.active()

    def state(self, run_id: str) -> NoReturn:  # noqa: ARG002 - the port's
        """Raise Unavailable."""
        self.active()

    def active(self) -> NoReturn:
        """Raise Unavailable."""
        raise Unavailable(self.reason)
