"""A folder of this machine as the place of outputs, for runs without the service."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
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

    def publish(self, path: str, files: Sequence[Path]) -> list[str]:
        """Move a table's part files into its place: one as the table's file, several as its folder."""
        place = self._root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        _remove(place)
        if len(files) == 1:
            files[0].replace(place)
            return [path]
        place.mkdir()
        names = [f"part-{number:05d}.parquet" for number in range(len(files))]
        for file, name in zip(files, names, strict=True):
            file.replace(place / name)
        return [f"{path}/{name}" for name in names]

    def delete_file(self, path: str) -> None:
        """Delete a file; nothing happens when it does not exist."""
        (self._root / path).unlink(missing_ok=True)


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
