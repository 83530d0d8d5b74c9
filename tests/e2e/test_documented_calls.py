"""The examples of docs/V1.0_API.md, run as a reader would paste them into a shell."""

import json
import subprocess
from pathlib import Path

from tests.documented_commands import ROOT, script
from tests.e2e.running_stack import RunningStack

_SECONDS = 90


def test_every_example_of_the_api_page_runs(stack: RunningStack, tmp_path: Path) -> None:
    examples = script(ROOT / "docs" / "V1.0_API.md")
    for documented, here in (
        ("http://127.0.0.1:5000", stack.url),
        ("http://127.0.0.1:5005", f"http://127.0.0.1:{stack.addresses.functions}"),
        ("/tmp/", f"{tmp_path}/"),  # noqa: S108 - what a reader's examples are kept out of
    ):
        assert documented in examples
        examples = examples.replace(documented, here)

    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", examples],  # noqa: S607 - whichever bash a reader has
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert [error["error"] for error in _errors(done.stdout)] == ["job_not_failed"]
    assert (tmp_path / "silver.csv").read_text().startswith('"order_id",')
    assert (tmp_path / "fact_orders.parquet").read_bytes()[:4] == b"PAR1"


def _errors(output: str) -> list[dict[str, str]]:
    """The answers that tell of an error; curl writes them one after another, without a line's end."""
    reader, errors, place = json.JSONDecoder(), [], 0
    while (place := output.find('{"success":false', place)) >= 0:
        answer, place = reader.raw_decode(output, place)
        errors.append(answer)
    return errors
