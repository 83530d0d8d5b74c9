"""How many steps a job takes: what `progress` counts (api.md, Jobs and results)."""

from backend.domain.jobs import LOADING_STEPS
from backend.lake_paths import QUARANTINE, SILVER
from backend.transformations.gold_tables import TABLES

OUTPUT_TABLES = (SILVER, QUARANTINE, *TABLES)

_MANIFEST = 1


def cleaning_steps(parts: int) -> int:
    """Each part cleaned, each table written, the manifest, and the load."""
    return parts + len(OUTPUT_TABLES) + _MANIFEST + LOADING_STEPS


def generating_and_cleaning_steps(parts: int) -> int:
    """Each part generated, and then all that cleaning takes."""
    return parts + cleaning_steps(parts)
