"""Writes what the harnesses found into the table of docs/RELIABILITY.md.

`python -m tests.faults.report FINDINGS`. The rest of the page is left as it is.
"""

import argparse
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from tests.faults.findings import Finding, read_findings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "RELIABILITY.md"
BEGIN = "<!-- What follows is written by ./scripts/chaos. -->"
END = "<!-- Here it ends. -->"

_HEAD = ("| what was done | times | what came out | day, commit |", "|---|---|---|---|")


def table(findings: list[Finding], where: str) -> str:
    """The findings by subject, after a line that says on what they were made."""
    return "\n".join([f"{where}", "", *_lines(findings)])


def _lines(findings: list[Finding]) -> Iterator[str]:
    for subject in dict.fromkeys(finding.subject for finding in findings):
        yield from (f"**{subject}**", "", *_HEAD)
        for finding in findings:
            if finding.subject == subject:
                cells = (finding.fault, f"{finding.tried:,}", finding.outcome, finding.made)
                yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
        yield ""


def replaced(page: str, text: str) -> str:
    """The page with its table replaced. Raises ValueError when it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for the table")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"


def _where() -> str:
    return f"Made on {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}."


def main() -> None:
    """Replace the table of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("findings", type=Path, help="what the harnesses recorded")
    findings = read_findings(parser.parse_args().findings)
    PAGE.write_text(replaced(PAGE.read_text(), table(findings, _where())))


if __name__ == "__main__":
    main()
