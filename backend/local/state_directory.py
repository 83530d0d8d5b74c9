"""Everything one stack keeps: a folder that can be deleted when the stack is stopped."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.local.stack_errors import StackFailed
from backend.settings import MINIMUM_SECRET_BYTES

_LOCK = "lock"
_LEAST_FREE_BYTES = 200 << 20


class StateDirectory:
    """The folder of one stack's state. Only its owner can look into it: it holds secrets and data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @property
    def azurite(self) -> Path:
        """Azurite's blobs, queues and tables."""
        return self.folder / "azurite"

    @property
    def spark(self) -> Path:
        """What Spark keeps while it runs."""
        return self.folder / "spark"

    @property
    def database_url(self) -> str:
        """The operational database."""
        return f"sqlite:///{self.folder / 'orchestrator.sqlite'}"

    @property
    def warehouse_file(self) -> Path:
        """The warehouse."""
        return self.folder / "warehouse.duckdb"

    @property
    def connection_string(self) -> Path:
        """A file with the storage account's connection string, for `az`."""
        return self.folder / "connection_string"

    @property
    def logs(self) -> Path:
        """The folder of every part's log."""
        return self.folder / "logs"

    def log(self, name: str) -> Path:
        """The log of one part of the stack."""
        return self.logs / f"{name}.log"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and hold it for this process; the kernel lets go of it however the process ends.

        Raises:
            StackFailed: another stack uses the folder, it holds something else, it can't be written, or its
                disk is nearly full.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _require_own(self.folder)
            self.folder.chmod(0o700)
            lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            self.azurite.mkdir(exist_ok=True)
            self.logs.mkdir(exist_ok=True)
        except OSError as error:
            raise StackFailed(f"the state can't be kept in {self.folder}: {error.strerror}") from error
        try:
            # First, since a full disk has no room for the claim either.
            _require_space(self.folder)
            _claim(lock, self.folder)
            yield
        finally:
            os.close(lock)

    def jwt_secret_key(self) -> str:
        """The key that signs this stack's tokens, made at its first start."""
        path = self.folder / "jwt_secret_key"
        if not path.exists() or not path.read_text():
            self.write_private(path, secrets.token_urlsafe(2 * MINIMUM_SECRET_BYTES))
        return path.read_text()

    def write_private(self, path: Path, text: str) -> None:
        """Write a file that only its owner can read.

        Raises:
            StackFailed: it can't be written.
        """
        beside = path.with_suffix(".new")
        try:
            beside.unlink(missing_ok=True)
            beside.touch(0o600)
            beside.write_text(text)
            beside.replace(path)
        except OSError as error:
            raise StackFailed(f"{path} can't be written: {error.strerror}") from error


def _require_own(folder: Path) -> None:
    """Refuse somebody's home or /tmp: it would be closed to all others, and is not to be deleted."""
    if not (folder / _LOCK).exists() and any(folder.iterdir()):
        raise StackFailed(f"{folder} holds something other than a stack's state; choose another with --state")


def _claim(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 32, 0).decode().strip() or "unknown"
        raise StackFailed(
            f"another stack (process {holder}) uses {folder}; stop it or choose with --state"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _require_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE_BYTES:
        raise StackFailed(
            f"the disk of {folder} is nearly full: {free >> 20} MB are free, and the stack needs"
            f" {_LEAST_FREE_BYTES >> 20} MB"
        )
