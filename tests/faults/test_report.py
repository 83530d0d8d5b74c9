import pytest

from tests.faults.findings import Finding
from tests.faults.report import BEGIN, END, replaced, table

FINDINGS = [
    Finding("Crashes", "kill -9", 1074, "every job completed"),
    Finding("Attacks", "no token", 20, "401 | always"),
    Finding("Crashes", "three messages", 10, "one result"),
]
TABLE = """Made today.

**Crashes**

| what was done | times | what came out |
|---|---|---|
| kill -9 | 1,074 | every job completed |
| three messages | 10 | one result |

**Attacks**

| what was done | times | what came out |
|---|---|---|
| no token | 20 | 401 \\| always |
"""


def test_findings_are_told_by_subject_in_the_order_in_which_they_came() -> None:
    assert table(FINDINGS, "Made today.") == TABLE


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"# Title\n\n{BEGIN}\nold\n{END}\nmore\n"
    assert replaced(page, "new\n") == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\nmore\n"


def test_a_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for the table"):
        replaced("# Title\n", "new")
