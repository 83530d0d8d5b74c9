"""Takes a picture of every view of the page, light and dark, wide and on a phone, for the documentation.

`python -m tests.e2e.console.screenshots [FOLDER]`; by default into docs/images/console.
"""

import argparse
import sys
import tempfile
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.console.views import Journey
from tests.e2e.console.visitor import PHONE, WIDE, Visitor, start_browser
from tests.e2e.running_stack import RunningStack

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "images" / "console"
_SIZES = {"wide": WIDE, "phone": PHONE}
_RECORDS = 2_000
_SCHEMES = ("light", "dark")


def take_all(browser: Browser, url: str, folder: Path) -> list[Path]:
    """A picture of each view in each way; where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for (size, viewport), scheme in product(_SIZES.items(), _SCHEMES):
        with Visitor(browser, url, viewport=viewport, color_scheme=scheme) as visitor:
            taken.append(_take(visitor.open(), folder / f"welcome-{size}-{scheme}.png"))
            for name, go in Journey(visitor, _RECORDS).views.items():
                taken.append(_take(go(), folder / f"{name}-{size}-{scheme}.png", whole=size == "wide"))
    return taken


def _take(page: Page, file: Path, *, whole: bool = False) -> Path:
    page.evaluate("() => window.scrollTo(0, 0)")
    page.screenshot(path=file, animations="disabled", full_page=whole)
    return file


def main() -> None:
    """Start a stack, and take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as state, RunningStack(Path(state) / "state") as stack:
        stack.wait_ready()
        with sync_playwright() as playwright:
            browser = start_browser(playwright)
            taken = take_all(browser, stack.url, folder)
            browser.close()
    sys.stdout.write(f"{len(taken)} pictures in {folder}\n")


if __name__ == "__main__":
    main()
