"""Whether the texts of Gold fit the columns of databases."""

import pyarrow as pa
import pyarrow.compute as pc

from backend.domain.errors import ValueTooLong
from backend.transformations.gold_columns import GOLD_COLUMNS

_LIMITS = {
    table.name: {column.name: column.length for column in table.columns if column.length is not None}
    for table in GOLD_COLUMNS
}


def check_lengths(destination: str, table: str, batch: pa.RecordBatch) -> None:
    """Check that every text of some rows of a Gold table is within its column's limit (gold_columns).

    Args:
        destination: the database's name, for the error.
        table: the Gold table's name.
        batch: rows with that table's columns.

    Raises:
        ValueTooLong: one is not. It is not quoted, since it may be somebody's name.
    """
    for column, limit in _LIMITS[table].items():
        length = pc.max(pc.utf8_length(batch[column])).as_py()
        if length is not None and length > limit:
            raise ValueTooLong(destination, table, column, length, limit)
