"""Every view of the page, each as somebody comes to it: for looking at them all in one way or another."""

import json
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.e2e.console.visitor import Visitor

BROKEN_RECORDS = [{"user": {"id": "u-1"}, "order": {"note": "no id"}}, "no record"]


class Journey:
    """A visitor with a job on broken records, and one on so many sample records; both are completed."""

    def __init__(self, visitor: Visitor, records: int) -> None:
        self.visitor = visitor
        visitor.register()
        content = json.dumps(BROKEN_RECORDS).encode()
        visitor.upload({"name": "broken records.json", "mimeType": "application/json", "buffer": content})
        visitor.button("Clean it").click()
        visitor.wait_for_end()
        self._broken = visitor.page.url.removeprefix(visitor.url)
        visitor.open()
        visitor.page.get_by_label("How many records").fill(str(records))
        visitor.page.get_by_label("Name, if you like").fill("November orders")
        visitor.button("Make and clean it").click()
        visitor.wait_for_end()
        self._job = visitor.page.url.removeprefix(visitor.url)

    @property
    def views(self) -> dict[str, Callable[[], Page]]:
        """What goes to each view, by its name."""
        return {
            "start": self._start,
            "file": self._file,
            "jobs": lambda: self.visitor.open("/console/jobs"),
            "live": self._live,
            "job": lambda: self.visitor.open(self._job),
            "quality": self._quality,
            "table": lambda: self.visitor.open(f"{self._job}/tables/silver"),
            "quarantine": lambda: self.visitor.open(f"{self._broken}/quarantine"),
            "notifications": lambda: self.visitor.open("/console/notifications"),
            "error": lambda: self.visitor.open("/console/jobs/nobodys"),
        }

    def _start(self) -> Page:
        page = self.visitor.open()
        page.get_by_text("Which path does a job take?").click()
        return page

    def _file(self) -> Page:
        content = json.dumps([{}] * 12).encode()
        self.visitor.upload({"name": "orders.json", "mimeType": "application/json", "buffer": content})
        expect(self.visitor.page.get_by_text("holds 12 records.")).to_be_visible()
        return self.visitor.page

    def _live(self) -> Page:
        """A job on its way, as it was first seen: what follows it is held back."""
        page = self.visitor.open()
        page.route("**/console/jobs/*/events", _hold)
        page.get_by_label("How many records").fill("3000")
        self.visitor.button("Make and clean it").click()
        expect(page.get_by_role("list", name="Stages")).to_be_visible()
        return page

    def _quality(self) -> Page:
        page = self.visitor.open(f"{self._job}/quality")
        expect(page.locator("canvas").first).to_be_visible()
        return page


def _hold(_: Route) -> None:
    """Neither answer nor refuse."""
