"""The page for everybody: a screen reader, a keyboard alone, a phone, dark or light."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.console.views import Journey
from tests.e2e.console.visitor import PHONE, WIDE, Visitor

AXE = Axe()
# Of the table that axe-core looks at cell by cell.
RECORDS = 30


def found_by_axe(page: Page) -> list[str]:
    """What axe-core has against a page, by rule and place."""
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in AXE.run(page).response["violations"]
        for node in violation["nodes"]
    ]


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing_on_any_view_and_none_is_too_wide(
    new_visitor: Callable[..., Visitor], scheme: str, size: dict[str, int]
) -> None:
    visitor = new_visitor(color_scheme=scheme, viewport=size, bypass_csp=True)
    welcome = visitor.open()
    found = {"welcome": found_by_axe(welcome)}
    wide = ["welcome"] if is_wider_than_the_window(welcome) else []
    for name, go in Journey(visitor, RECORDS).views.items():
        page = go()
        found[name] = found_by_axe(page)
        wide += [name] if is_wider_than_the_window(page) else []
    assert {name: complaints for name, complaints in found.items() if complaints} == {}
    assert wide == []


def test_sample_data_is_sent_with_the_keyboard_alone(new_visitor: Callable[..., Visitor]) -> None:
    visitor = new_visitor()
    page = visitor.open()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    tab_to(page, "Username")
    page.keyboard.type(visitor.username)
    page.keyboard.press("Tab")
    page.keyboard.type(visitor.password)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(visitor.button("Make an account")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Send data")).to_be_visible()
    tab_to(page, "How many records")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    visitor.wait_for_end()


def tab_to(page: Page, label: str) -> None:
    """Press Tab until the field of a label has the focus."""
    field: Any = page.get_by_label(label)
    for _ in range(20):
        if field.evaluate("field => field === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not get to {label}")
