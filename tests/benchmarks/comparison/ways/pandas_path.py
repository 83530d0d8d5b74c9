"""This project's small path: the whole contract, every Silver and Gold file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from backend.adapters.local_folder import LocalFolder
from backend.lake_paths import FOLDER_OUTPUTS
from backend.services.dataset_cleaning import clean_dataset
from backend.services.outputs import OutputWriter
from backend.transformations.bronze import BronzePart

AS_OF = datetime(2026, 11, 22, 21, tzinfo=UTC)


def clean_completely(parts: Sequence[Path], out: Path) -> None:
    """Write every table that data.md names, and the manifest."""
    read = (BronzePart(part.name, part.read_bytes()) for part in parts)
    writer = OutputWriter(LocalFolder(out), FOLDER_OUTPUTS)
    clean_dataset("benchmark", AS_OF, read, writer, lambda _stage, _done: None)
