"""A destination of Gold that the environment does not describe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from backend.domain.errors import Unavailable
from backend.ports import GoldTable, LoadedDataset


@dataclass(frozen=True, slots=True)
class UnconfiguredDestination:
    """Implements `GoldDestination`: jobs wait for it, and say `reason`, until the settings are mended."""

    name: str
    reason: str

    def load(self, dataset: LoadedDataset, tables: Sequence[GoldTable]) -> NoReturn:  # noqa: ARG002 - the port's
        """Raise Unavailable."""
        self.ping()

    def remove(self, owner_id: str, dataset_id: str) -> NoReturn:  # noqa: ARG002 - the port's
        """Raise Unavailable."""
        self.ping()

    def ping(self) -> NoReturn:
        """Raise Unavailable."""
        raise Unavailable(self.reason)
