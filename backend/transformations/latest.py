"""Which row is the latest: the order that duplicates and Gold share (data.md, Duplicates and section 4)."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.transformations.contract import SOURCE_PART, SOURCE_ROW

_EARLIER_THAN_ANY = np.iinfo(np.int64).min


def latest_first(rows: pa.Table, timestamp: str) -> npt.NDArray[np.int64]:
    """Places of the rows: greatest timestamp (null last), then smallest source_part, then source_row."""
    moments = rows[timestamp].cast(pa.int64()).fill_null(_EARLIER_THAN_ANY).to_numpy()
    parts = pc.rank(rows[SOURCE_PART.name], tiebreaker="dense").to_numpy()
    order: npt.NDArray[np.int64] = np.lexsort((rows[SOURCE_ROW.name].to_numpy(), parts, ~moments))
    return order
