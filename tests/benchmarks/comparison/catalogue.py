"""The ways that are compared: what each is called, where its code is, and what it leaves out."""

from dataclasses import dataclass

_FLOOR = "decodes and writes, cleans nothing"
_WHOLE = "the whole contract"
_MOST = 1_000_000
_SLOW = 100_000


@dataclass(frozen=True)
class Way:
    """One way from Bronze to its output.

    Attributes:
        title: as the table calls it.
        module: below `tests.benchmarks.comparison.ways`.
        function: of the module: what cleans, or a context manager that gives what cleans.
        does: what of the contract, for the table.
        compared: which of its outputs are compared with this project's; `nothing`, `all` or `checks`.
        own_packages: whether it runs in the environment of requirements-bench.txt.
        most_records: beyond so many it is left out, so that everything takes an hour.
    """

    title: str
    module: str
    function: str
    does: str
    compared: str = "all"
    own_packages: bool = False
    most_records: int = _MOST

    @property
    def whole_contract(self) -> bool:
        """Whether it is one of this project's, which do everything."""
        return self.does == _WHOLE


_SUBSET = "16 of 39 columns, 10 of 24 checks, duplicates, quarantine, 4 figures of users"

DECODING = "decoding"
SMALL_PATH = "small_path"
LARGE_PATH = "large_path"

WAYS = {
    DECODING: Way(
        "`orjson.loads` alone", "floor", "decoding_alone", "decodes, and writes nothing", "nothing"
    ),
    "orjson": Way(
        "floor: orjson.loads, Silver written",
        "floor",
        "with_orjson",
        _FLOOR,
        "nothing",
    ),
    "msgspec": Way(
        "floor: msgspec, the fields that are read, Silver written",
        "floor",
        "with_msgspec",
        _FLOOR,
        "nothing",
    ),
    SMALL_PATH: Way("this project, pandas path", "pandas_path", "clean_completely", _WHOLE),
    LARGE_PATH: Way("this project, PySpark path (warm)", "pyspark_path", "session", _WHOLE),
    "subset_path": Way("this project's kernel, the rivals' subset", "subset_path", "clean", _SUBSET),
    "polars": Way("Polars", "polars_way", "clean", _SUBSET, own_packages=True),
    "duckdb": Way("DuckDB", "duckdb_way", "clean", _SUBSET),
    "pandas": Way("plain pandas", "plain_pandas", "clean", _SUBSET, most_records=_SLOW),
    "dqx": Way(
        "DQX on Spark (warm)",
        "dqx_way",
        "session",
        "the 10 checks and the split alone",
        "checks",
        own_packages=True,
        most_records=_SLOW,
    ),
}
