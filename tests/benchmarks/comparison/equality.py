"""Whether two ways have written the same rows, as far as both write them."""

from pathlib import Path

import duckdb

from tests.benchmarks.comparison.catalogue import Way
from tests.benchmarks.comparison.subset import (
    CHECKED_COLUMNS,
    QUARANTINE,
    QUARANTINE_COLUMNS,
    SILVER,
    SILVER_COLUMNS,
    USER_COLUMNS,
    USERS,
)

_CODES = ", ".join(f"'{kind}_{name}'" for name in CHECKED_COLUMNS for kind in ("missing", "invalid"))
_OUR_ISSUES = f"list_sort(list_filter(issues, lambda code: code IN ({_CODES}))) AS issues"
_USERS = ", ".join(USER_COLUMNS)
_REASONS = ", ".join(QUARANTINE_COLUMNS)
_LINE = "order_id, order_item_id"


class NotEqual(Exception):
    """A way has written other rows than this project."""


def check_equal(ours: Path, theirs: Path, way: Way) -> None:
    """Raise NotEqual unless `theirs` holds what the pandas path has written into `ours`."""
    if way.compared == "checks":
        _compare(
            f"SELECT {_LINE}, {_OUR_ISSUES} FROM {_table(ours, SILVER)}",
            f"SELECT DISTINCT {_LINE}, issues FROM {_table(theirs, SILVER)}",
        )
        reasons = "SELECT reasons FROM"
        _compare(f"{reasons} {_table(ours, QUARANTINE)}", f"{reasons} {_table(theirs, QUARANTINE)}")
        return
    if way.whole_contract:
        _compare(f"SELECT * FROM {_table(ours, SILVER)}", f"SELECT * FROM {_table(theirs, SILVER)}")
    silver = f"SELECT {', '.join(SILVER_COLUMNS)},"
    issues = _OUR_ISSUES if way.whole_contract else "issues"
    _compare(
        f"{silver} {_OUR_ISSUES} FROM {_table(ours, SILVER)}",
        f"{silver} {issues} FROM {_table(theirs, SILVER)}",
    )
    quarantine = f"SELECT {', '.join(QUARANTINE_COLUMNS)} FROM"
    _compare(f"{quarantine} {_table(ours, QUARANTINE)}", f"{quarantine} {_table(theirs, QUARANTINE)}")
    users = f"SELECT {', '.join(USER_COLUMNS)} FROM"
    gold = theirs / "gold" if way.whole_contract else theirs
    _compare(f"{users} {_table(ours / 'gold', USERS)}", f"{users} {_table(gold, USERS)}")


def _compare(ours: str, theirs: str) -> None:
    with duckdb.connect() as database:
        for one, other, words in ((ours, theirs, "lacks"), (theirs, ours, "has besides")):
            rows = database.execute(f"SELECT * FROM ({one} EXCEPT ALL {other}) LIMIT 2").fetchall()
            if rows:
                raise NotEqual(f"it {words} {rows}")


def _table(folder: Path, name: str) -> str:
    path = folder / name
    return f"read_parquet('{path / '*.parquet' if path.is_dir() else path}')"
