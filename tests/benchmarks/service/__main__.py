"""What the service adds to the kernel: `python -m tests.benchmarks.service [--write]`.

Calls beside a bare queue send, jobs from the call to their end, event streams and starts, all on a stack of
its own.
"""

import argparse
import tempfile
from pathlib import Path

from tests.benchmarks.report import write_section
from tests.benchmarks.service import end_to_end, fan_out, start_up, taking_in
from tests.e2e.running_stack import RunningStack

# None of the service's limits is what is measured.
_SETTINGS = {"MAX_OPEN_JOBS": "1000000", "ACCESS_TOKEN_MINUTES": "600"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables into docs/BENCHMARKS.md")
    write = parser.parse_args().write
    with tempfile.TemporaryDirectory() as folder, RunningStack(Path(folder) / "state", **_SETTINGS) as stack:
        stack.wait_ready()
        for name, measure in (
            ("end to end", end_to_end.lines),
            ("event streams", fan_out.lines),
            ("taking in", taking_in.lines),
        ):
            _tell(name, measure(stack), write=write)
    _tell("start-up", start_up.lines(), write=write)


def _tell(name: str, lines: list[str], *, write: bool) -> None:
    text = "\n".join(lines)
    print(f"{name}\n{text}\n", flush=True)
    if write:
        write_section(name, text)


if __name__ == "__main__":
    main()
