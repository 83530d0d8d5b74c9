"""Sections of docs/BENCHMARKS.md, each written by the benchmark whose figures it holds."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "BENCHMARKS.md"

_GIT_COMMIT = ["git", "rev-parse", "--short", "HEAD"]
_VERSIONS = ("pandas", "pyarrow", "pyspark", "duckdb", "orjson", "msgspec", "azure-storage-queue")


def write_section(name: str, text: str) -> None:
    """Replace what stands between the markers of a section, and say on what and when it was made."""
    PAGE.write_text(replaced(PAGE.read_text(), name, f"{_made()}\n\n{text}"))


def replaced(page: str, name: str, text: str) -> str:
    """The page with one section replaced. Raises ValueError when it has no such section."""
    begin, end = f"<!-- {name}: written by ./scripts/bench -->", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no section {name}")
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}"


def _made() -> str:
    commit = subprocess.run(
        _GIT_COMMIT, capture_output=True, text=True, check=True, cwd=PAGE.parent
    ).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
    return (
        f"Made on {datetime.now(UTC):%Y-%m-%d} from commit {commit}: {os.cpu_count()} cores ({_processor()}),"
        f" {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}; {packages}."
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.machine()
    models = [line for line in information.read_text().splitlines() if line.startswith("model name")]
    return models[0].partition(":")[2].strip() if models else platform.machine()
