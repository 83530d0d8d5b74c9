from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.console.visitor import Visitor, start_browser
from tests.e2e.running_stack import RunningStack


# Not for longer: Playwright keeps an event loop running meanwhile, which other tests may want for themselves.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = start_browser(playwright)
        yield browser
        browser.close()


@pytest.fixture
def new_visitor(browser: Browser, stack: RunningStack) -> Iterator[Callable[..., Visitor]]:
    """Windows of people who don't know each other."""
    with ExitStack() as windows:

        def make(**options: Any) -> Visitor:
            return windows.enter_context(Visitor(browser, stack.url, **options))

        yield make


@pytest.fixture
def visitor(new_visitor: Callable[..., Visitor]) -> Iterator[Visitor]:
    """Somebody with an account, whose window sees no error."""
    visitor = new_visitor().register()
    yield visitor
    assert visitor.errors == []
