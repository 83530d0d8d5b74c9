"""The two engines give the same rows, of the same types, whatever the dataset."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from pyspark.sql import SparkSession

from backend.adapters.local_folder import LocalFolder
from backend.domain.errors import MalformedPart
from backend.lake_paths import FOLDER_OUTPUTS
from backend.sample_data.generator import generate_chunk
from backend.services.dataset_cleaning import clean_dataset
from backend.services.outputs import OutputWriter
from backend.transformations.bronze import BronzePart
from backend.transformations.pyspark_transforms import Sizes
from tests.transformations import strategies
from tests.transformations.engines import clean_with_pyspark
from tests.transformations.parity import assert_parity, parity_session, spreads

AS_OF = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)

# py4j leaves its sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

_each_takes_seconds = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    with parity_session(tmp_path_factory.mktemp("spark")) as session:
        yield session
    gc.collect()


@pytest.mark.timeout(900)
@_each_takes_seconds
@given(strategies.datasets(), strategies.as_ofs, spreads)
def test_any_dataset_gives_the_same_rows_on_both_engines(
    spark: SparkSession, parts: strategies.Dataset, as_of: datetime, sizes: Sizes | None
) -> None:
    assert_parity(spark, parts, as_of, sizes)


def test_realistic_records_with_duplicates_across_parts_give_the_same_rows(spark: SparkSession) -> None:
    parts = {f"{place}.json": generate_chunk(7, place * 700, 700, 0.4) for place in range(3)}
    assert_parity(spark, parts, AS_OF)


def test_running_again_gives_the_same_files_to_the_byte(spark: SparkSession, tmp_path: Path) -> None:
    parts = {f"{place}.json": generate_chunk(7, place * 300, 300, 0.4) for place in range(5)}
    sizes = Sizes(task=1, greatest_file=1 << 20, bucket=1 << 18, table_file=20_000, chunk_rows=200)
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        clean_with_pyspark(spark, tmp_path / run, parts, AS_OF, sizes)
    first, second = (
        {path.relative_to(out): path.read_bytes() for path in out.rglob("*.*") if path.is_file()}
        for out in (tmp_path / "first" / "out", tmp_path / "second" / "out")
    )
    assert len(first) > 15
    assert first == second


def test_what_is_measured_is_the_same(spark: SparkSession, tmp_path: Path) -> None:
    parts = {f"{place}.json": generate_chunk(7, place * 300, 300, 0.4) for place in range(3)}
    writer = OutputWriter(LocalFolder(tmp_path / "pandas"), FOLDER_OUTPUTS)
    bronze = (BronzePart(name, parts[name]) for name in sorted(parts))
    expected = clean_dataset("local", AS_OF, bronze, writer, _unwatched)
    _, cleaned = clean_with_pyspark(spark, tmp_path, parts, AS_OF)
    assert cleaned.quality_score == expected.quality_score
    differing = {name for name, value in cleaned.measurements.items() if value != expected.measurements[name]}
    assert differing == {"engine", "secondsByStage"}


def _unwatched(stage: str, done: int) -> None:
    """Nobody is told of the progress."""


def test_a_malformed_part_fails_with_the_first_ones_name_and_byte(
    spark: SparkSession, tmp_path: Path
) -> None:
    parts = {"b.json": b"[1,]", "a.json": b"[]", "c.json": b"{"}
    with pytest.raises(MalformedPart) as raised:
        clean_with_pyspark(spark, tmp_path, parts, AS_OF)
    assert (raised.value.part, raised.value.byte) == ("b.json", 3)
    assert list((tmp_path / "out").iterdir()) == []
