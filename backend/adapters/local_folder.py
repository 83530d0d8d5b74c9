"""A folder of this machine as the place of outputs, for runs without the service."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path


class LocalFolder:
    """Implements `WritableFiles` below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, path: str, content: bytes | Iterable[bytes]) -> None:
        """Write beside the place and rename into it; no half-written file stays when that fails."""
        place = self._root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".uploading", dir=place.parent)
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
            beside.chmod(0o666 & ~_umask())
            if place.is_dir():
                _remove(place)
            beside.replace(place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def delete_file(self, path: str) -> None:
        """Delete a file; nothing happens when it does not exist."""
        (self._root / path).unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        """Delete what is at a path, a file or a folder, if there is anything."""
        _remove(self._root / path)


class LocalFiles(LocalFolder):
    """Implements `SparkStorage`: outputs go below one folder, and parts are read from anywhere."""

    def read(self, path: str) -> bytes:
        """A whole file."""
        return Path(path).read_bytes()


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _umask() -> int:
    """The process's umask, which `mkstemp` does not follow; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
