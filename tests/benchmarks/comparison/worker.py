"""One way in a process of its own: told on stdin when to clean, it answers with seconds and memory.

`python -m tests.benchmarks.comparison.worker WAY FOLDER PART…`. Each line on stdin, `timed` or `watched`, is
one run into a new folder below FOLDER; the answer is a line of JSON.
"""

import gc
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import perf_counter

import psutil

from tests.benchmarks.comparison.catalogue import WAYS, Way
from tests.benchmarks.memory import MemoryWatch

_SAMPLES_EVERY_SECONDS = 0.02

Clean = Callable[[Sequence[Path], Path], None]


def main() -> None:
    name, folder, *words = sys.argv[1:]
    parts = [Path(word) for word in words]
    with _opened(WAYS[name], Path(folder)) as clean:
        _answer(None)
        for number, word in enumerate(sys.stdin):
            out = Path(folder) / str(number)
            out.mkdir()
            watch = MemoryWatch(_SAMPLES_EVERY_SECONDS)
            with watch if word.strip() == "watched" else nullcontext():
                figures = _timed(clean, parts, out)
            _answer({"out": str(out), "peakBytes": watch.peak, **figures})


def _timed(clean: Clean, parts: Sequence[Path], out: Path) -> dict[str, float]:
    gc.collect()
    started, worked = perf_counter(), _processor_seconds()
    clean(parts, out)
    return {"seconds": perf_counter() - started, "processorSeconds": _processor_seconds() - worked}


def _processor_seconds() -> float:
    """Of this process and of all that it has started and that lives."""
    here = psutil.Process()
    times = [process.cpu_times() for process in (here, *here.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


@contextmanager
def _opened(way: Way, folder: Path) -> Iterator[Clean]:
    module = importlib.import_module(f"tests.benchmarks.comparison.ways.{way.module}")
    function = getattr(module, way.function)
    if way.function == "session":
        with function(folder) as clean:
            yield clean
    else:
        yield function


def _answer(content: dict[str, object] | None) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
