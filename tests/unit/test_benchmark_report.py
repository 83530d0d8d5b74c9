import pytest

from tests.benchmarks.comparison.report import Measured, Result, table
from tests.benchmarks.report import replaced

PAGE = """# What it takes

<!-- comparison: written by ./scripts/bench -->
old
<!-- end of comparison -->

The end.
"""


def test_a_section_is_replaced_and_the_rest_of_the_page_stays() -> None:
    assert replaced(PAGE, "comparison", "new\n") == (
        "# What it takes\n\n<!-- comparison: written by ./scripts/bench -->\n\nnew\n\n"
        "<!-- end of comparison -->\n\nThe end.\n"
    )


def test_a_page_without_the_section_is_refused() -> None:
    with pytest.raises(ValueError, match="the page has no section start-up"):
        replaced(PAGE, "start-up", "new")


def test_every_figure_stands_beside_the_floor_the_pandas_path_and_a_tenth_of_the_records() -> None:
    few = Result(
        10_000,
        34.2,
        "0123456789abcdef" * 4,
        5,
        [Measured("decoding", 0.2, 0.2, 150 << 20), Measured("small_path", 0.5, 0.55, 160 << 20)],
        [],
    )
    measured = [Measured("decoding", 2.1, 2.0, 1 << 30), Measured("small_path", 5.25, 5.4, 900 << 20)]
    many = Result(100_000, 342.0, "f" * 64, 5, measured, ["DQX"])
    lines = table([few, many], "decoding", "small_path").splitlines()
    assert lines[0].startswith("**10,000 records**, 34 MB, SHA-256 `0123456789abcdef…`; the median of 5 runs")
    assert [line.partition("contract ")[2] for line in lines if line.startswith("| this project")] == [
        "| 0.50 | 0.55 | 2.50 | 1.00 | 20,000 | 160 |  |",
        "| 5.25 | 5.40 | 2.50 | 1.00 | 19,048 | 900 | 10.5 |",
    ]
    assert "Left out, so that everything takes an hour: DQX." in lines
