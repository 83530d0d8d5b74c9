"""The lake as Spark's driver and executors reach it: each process with connections of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from backend.ports import FileSystem
from backend.settings import StorageAccount

Open = Callable[[StorageAccount], tuple[FileSystem, FileSystem]]


@dataclass(frozen=True, slots=True)
class SparkLake:
    """Implements `SparkStorage`.

    Args:
        account: the lake.
        open_containers: connects to its Bronze and to its container of outputs; a module's function, so that
            it can be pickled.
    """

    account: StorageAccount
    open_containers: Open

    def read(self, path: str) -> bytes:
        """A whole part of Bronze. Raises NotFound."""
        bronze, _ = _opened(self)
        return bronze.read(path)

    def write(self, path: str, content: bytes) -> None:
        """Put a file in its place, as the lake's adapter does."""
        _, lake = _opened(self)
        lake.write(path, content)

    def remove(self, path: str) -> None:
        """Delete what is at a path of the outputs."""
        _, lake = _opened(self)
        lake.remove(path)


@cache
def _opened(lake: SparkLake) -> tuple[FileSystem, FileSystem]:
    # Kept for as long as the process lives, so that a worker of Spark's connects once and not for every task.
    return lake.open_containers(lake.account)
