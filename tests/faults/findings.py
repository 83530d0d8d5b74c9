"""What the harnesses of faults, load and attacks found: the rows of docs/RELIABILITY.md."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FINDINGS_VARIABLE = "RELIABILITY_FINDINGS"


@dataclass(frozen=True)
class Finding:
    """One row.

    Attributes:
        subject: the heading it stands under: `Crashes`, `Load`, `Bad input` or `Attacks`.
        fault: what was done to the service.
        tried: how many times.
        outcome: what came out, in figures of this run.
    """

    subject: str
    fault: str
    tried: int
    outcome: str


def record(finding: Finding) -> None:
    """Print a finding, and append it to the file that the environment names, if it names one."""
    print(f"{finding.subject}: {finding.fault}: {finding.tried} times: {finding.outcome}", flush=True)
    if file := os.environ.get(FINDINGS_VARIABLE):
        with Path(file).open("a") as lines:
            lines.write(json.dumps(asdict(finding)) + "\n")


def read_findings(file: Path) -> list[Finding]:
    """Every finding that was recorded into a file, in its order."""
    return [Finding(**json.loads(line)) for line in file.read_text().splitlines()]
