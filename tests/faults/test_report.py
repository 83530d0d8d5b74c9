import pytest

from tests.faults.findings import Finding
from tests.faults.report import BEGIN, END, replaced, table

FINDINGS = [
    Finding("Crashes", "kill -9", 1074, "every job completed", "2026-11-23, a1b2c3d"),
    Finding("Attacks", "no token", 20, "401 | always", "2026-11-23, a1b2c3d"),
    Finding("Crashes", "three messages", 10, "one result", "2026-11-24, e4f5a6b"),
]
TABLE = """Made today.

**Crashes**

| what was done | times | what came out | day, commit |
|---|---|---|---|
| kill -9 | 1,074 | every job completed | 2026-11-23, a1b2c3d |
| three messages | 10 | one result | 2026-11-24, e4f5a6b |

**Attacks**

| what was done | times | what came out | day, commit |
|---|---|---|---|
| no token | 20 | 401 \\| always | 2026-11-23, a1b2c3d |
"""


def test_findings_are_told_by_subject_in_the_order_in_which_they_came() -> None:
    assert table(FINDINGS, "Made today.") == TABLE


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"# Title\n\n{BEGIN}\nold\n{END}\nmore\n"
    assert replaced(page, "new\n") == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\nmore\n"


def test_a_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for the table"):
        replaced("# Title\n", "new")
