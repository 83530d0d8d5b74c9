"""What the harnesses of faults, load and attacks found: the rows of docs/RELIABILITY.md."""

import json
import os
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
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
        made: on which day, and from which commit.
    """

    subject: str
    fault: str
    tried: int
    outcome: str
    made: str = ""


def record(finding: Finding) -> None:
    """Print a finding, and append it to the file that the environment names, if it names one."""
    print(f"{finding.subject}: {finding.fault}: {finding.tried} times: {finding.outcome}", flush=True)
    if file := os.environ.get(FINDINGS_VARIABLE):
        with Path(file).open("a") as lines:
            lines.write(json.dumps({**asdict(finding), "made": _made()}) + "\n")


def read_findings(file: Path) -> list[Finding]:
    """Every finding that was recorded into a file, in its order."""
    return [Finding(**json.loads(line)) for line in file.read_text().splitlines()]


def _made() -> str:
    git = ["git", "rev-parse", "--short", "HEAD"]
    run = subprocess.run(git, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    return f"{datetime.now(UTC):%Y-%m-%d}, {run.stdout.strip()}"
