"""A person at the page: one browser window of their own, whose errors are looked at."""

import secrets
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from scripts.environment import find_program

SAMPLE_FILE = Path(__file__).resolve().parents[2] / "data" / "bronze_sample.json"
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
JOB_MILLISECONDS = 60_000

_ARGUMENTS = (
    # Tests run as root in containers, where Chromium has no sandbox to go into.
    "--no-sandbox",
    "--disable-gpu",
    # It looks for Google's hosts by itself otherwise.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)


def start_browser(playwright: Playwright) -> Browser:
    """The system's Chromium, without a screen."""
    program = find_program("chromium")
    assert program is not None
    return playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)


class Visitor:
    """One window; a context manager. What the page does wrong is in `errors` at the end.

    Args:
        browser: whose window it is.
        url: the stack's.
        options: Playwright's, of the window.
    """

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.username, self.password = f"visitor-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
        self._context = browser.new_context(**{"viewport": WIDE, "accept_downloads": True, **options})
        self.page: Page = self._context.new_page()
        self.page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.url + path)
        return self.page

    def register(self) -> Self:
        """Make an account on the page."""
        self.open()
        self.page.get_by_label("Username").fill(self.username)
        self.page.get_by_label("Password").fill(self.password)
        self.button("Make an account").click()
        expect(self.page.get_by_role("heading", name="Send data")).to_be_visible()
        return self

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def upload(self, file: str | Path | dict[str, Any]) -> None:
        """Send a file, from the start."""
        self.open()
        self.page.get_by_label("Drop a file here").set_input_files(file)  # type: ignore[arg-type] # a payload is a dict
        self.button("Upload").click()

    def clean_sample_file(self) -> str:
        """Have the sample file cleaned; the path of its job's page, once it is completed."""
        self.upload(SAMPLE_FILE)
        self.button("Clean it").click()
        self.wait_for_end()
        return self.page.url.removeprefix(self.url)

    def wait_for_end(self, status: str = "completed") -> None:
        """Watch the job until the page itself says that it has ended."""
        expect(self.page.get_by_role("list", name="Stages")).to_be_visible()
        expect(self.page.locator(f".status.{status}")).to_be_visible(timeout=JOB_MILLISECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.close()
