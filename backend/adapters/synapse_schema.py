"""The schema of the warehouse in Synapse: the T-SQL files of infrastructure/synapse."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from backend.domain.errors import Unavailable

if TYPE_CHECKING:
    from mssql_python import Connection

FOLDER = Path(__file__).parents[2] / "infrastructure" / "synapse"
"""In a checkout, which is where whoever administers the warehouse migrates it from."""

_BATCH_END = re.compile(r"^GO[ \t]*$", re.MULTILINE)


def deploy_schema(connection: "Connection", folder: Path = FOLDER) -> None:
    """Run every batch of the files, in the order of the files' names. Run again, they change nothing.

    Args:
        connection: in autocommit (`synapse_warehouse.connect`), of somebody who may make schemas and roles.
        folder: of the files.

    Raises:
        Unavailable: the folder has no files, or the pool refuses a batch.
    """
    files = sorted(folder.glob("*.sql"))
    if not files:
        raise Unavailable(f"{folder} has no SQL files: migrate the warehouse from a checkout")
    cursor = connection.cursor()
    for file in files:
        for number, batch in enumerate(batches(file.read_text(encoding="utf-8")), start=1):
            try:
                cursor.execute(batch)
                # What a batch's later statements raise is raised by going on to their results.
                while cursor.nextset():
                    pass
            except connection.Error as error:
                raise Unavailable(f"{file.name}, batch {number}: {' '.join(str(error).split())}") from error


def batches(script: str) -> Iterator[str]:
    """The parts of a script between lines of GO, which is a word of clients and not of T-SQL."""
    return (batch.strip() for batch in _BATCH_END.split(script) if batch.strip())
