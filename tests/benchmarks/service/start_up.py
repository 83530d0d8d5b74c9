"""How long it takes until each part is there, every time in a process of its own."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.e2e.running_stack import RunningStack

_RUNS = 5
_FUNCTIONS = "import backend.myfunc.function_app"
_TRANSFORMATIONS = "import backend.transformations.pandas_transforms"
_API = "import backend.app"


def lines() -> list[str]:
    """The table's lines."""
    python, functions, api, pandas, kernel = (
        _median(lambda code=code: _imported(code))
        for code in ("pass", _FUNCTIONS, _API, "import pandas", _TRANSFORMATIONS)
    )
    ready = _median(_ready)
    return [
        "| what | seconds |",
        "|---|---|",
        f"| Python itself | {python:.2f} |",
        f"| import of the Functions app | {functions - python:.2f} |",
        f"| import of the API | {api - python:.2f} |",
        f"| import of pandas, which neither of them does | {pandas - python:.2f} |",
        f"| import of the kernel with pandas, by the first job or the warm-up | {kernel - python:.2f} |",
        f"| the stack until it is ready, packages installed | {ready:.2f} |",
    ]


def _median(measure: Callable[[], float]) -> float:
    measure()
    return median(measure() for _ in range(_RUNS))


def _imported(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def _ready() -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with RunningStack(Path(folder) / "state") as stack:
            stack.wait_ready()
            return time.perf_counter() - began
