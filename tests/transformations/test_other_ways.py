"""The ways that ./scripts/bench compares give the same rows; its comparison finds a row that is another."""

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pytest

from tests.benchmarks.comparison.bronze import make_part
from tests.benchmarks.comparison.catalogue import WAYS
from tests.benchmarks.comparison.equality import NotEqual, check_equal
from tests.benchmarks.comparison.ways import duckdb_way, plain_pandas, subset_path
from tests.benchmarks.comparison.ways.pandas_path import clean_completely

Clean = Callable[[Sequence[Path], Path], None]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bronze")
    parts = [folder / "00000.json", folder / "00001.json"]
    for part in parts:
        make_part(part, 300)
    return parts


@pytest.fixture(scope="module")
def ours(parts: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ours")
    clean_completely(parts, out)
    return out


@pytest.mark.parametrize(
    ("name", "clean"),
    [("duckdb", duckdb_way.clean), ("pandas", plain_pandas.clean), ("subset_path", subset_path.clean)],
)
def test_another_way_gives_the_same_rows(
    name: str, clean: Clean, parts: list[Path], ours: Path, tmp_path: Path
) -> None:
    clean(parts, tmp_path)
    check_equal(ours, tmp_path, WAYS[name])


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (
            "silver",
            "UPDATE t SET unit_price = unit_price + 0.01 WHERE order_id = (SELECT max(order_id) FROM t)",
        ),
        ("silver", "DELETE FROM t WHERE order_id = (SELECT max(order_id) FROM t)"),
        ("quarantine", "INSERT INTO t SELECT * FROM t LIMIT 1"),
        ("agg_user_metrics", "UPDATE t SET units = units + 1 WHERE user_id = (SELECT max(user_id) FROM t)"),
    ],
)
def test_a_row_that_is_another_is_found(
    table: str, change: str, parts: list[Path], ours: Path, tmp_path: Path
) -> None:
    duckdb_way.clean(parts, tmp_path)
    file = tmp_path / f"{table}.parquet"
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE t AS FROM '{file}'")
        database.execute(change)
        database.execute(f"COPY t TO '{file}' (FORMAT parquet)")
    with pytest.raises(NotEqual):
        check_equal(ours, tmp_path, WAYS["duckdb"])
