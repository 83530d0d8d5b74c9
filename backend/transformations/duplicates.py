"""Which rows of a dataset are duplicates of a later one (data.md, Duplicates)."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from backend.transformations.contract import Contract
from backend.transformations.latest import latest_first


def duplicate_places(rows: pa.Table, contract: Contract) -> npt.NDArray[np.int64]:
    """The places of all rows of a key but its latest, then smallest source_part and source_row.

    The rows have the contract's `duplicate_key` and `latest`, source_part, which may also be a number that
    orders the parts, and source_row.
    """
    keys = pd.DataFrame({name: _codes(rows[name]) for name in contract.duplicate_key}, copy=False)
    repeated = np.flatnonzero(keys.duplicated(keep=False))
    if not len(repeated):
        return np.empty(0, np.int64)
    order = repeated[latest_first(rows.take(pa.array(repeated)), contract.latest)]
    places: npt.NDArray[np.int64] = order[keys.iloc[order].duplicated().to_numpy()]
    return places


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Equal values as equal numbers, null as -1."""
    indices = column.combine_chunks().dictionary_encode().indices
    codes: npt.NDArray[np.int64] = indices.cast(pa.int64()).fill_null(-1).to_numpy()
    return codes
