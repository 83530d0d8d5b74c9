"""The engines under test, each as one function: a dataset in, every table and the counts out."""

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa

from backend.domain.jobs import Counts
from backend.lake_paths import QUARANTINE, SILVER
from backend.transformations.bronze import BronzePart
from backend.transformations.order_lines import ORDER_LINES
from backend.transformations.pandas_transforms import PandasTransformer


def clean_with_pandas(parts: Mapping[str, bytes], as_of: datetime) -> tuple[dict[str, pa.Table], Counts]:
    """The small path's engine."""
    transformer = PandasTransformer(ORDER_LINES, as_of)
    in_order = sorted(parts, key=lambda name: name.encode())
    result = transformer.transform_to_silver(BronzePart(name, parts[name]) for name in in_order)
    gold = transformer.transform_to_gold(result.silver)
    return {SILVER: result.silver, QUARANTINE: result.quarantine, **gold}, result.counts
