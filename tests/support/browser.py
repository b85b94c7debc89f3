"""Drive the system's Chromium.

In: its path. Out: pages that fail the test on any console error, page error or dialog, since a page
that logs errors is broken even when it looks right.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, PHONE = {"width": 1560, "height": 960}, {"width": 390, "height": 844}


@contextmanager
def open_chromium(path: str) -> Iterator[Browser]:
    """Run Chromium for a block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def open_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """Open a page in a profile of its own; afterwards fail on whatever went wrong in it."""
    context = browser.new_context(**{"viewport": WIDE, **options})
    with watched(context.new_page()) as page:
        yield page
    context.close()


@contextmanager
def watched(page: Page) -> Iterator[Page]:
    """Fail on console errors, page errors and dialogs; `allow_trouble` lets some pass."""
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(f"dialog: {dialog.message}"))
    yield page
    allowed = getattr(page.context, "allowed_trouble", ())
    unexpected = [text for text in trouble if not any(part in text for part in allowed)]
    assert not unexpected, unexpected


def allow_trouble(context: BrowserContext, *parts: str) -> None:
    """Let console errors that hold one of `parts` pass: the test makes them on purpose."""
    context.allowed_trouble = parts  # type: ignore[attr-defined]  # a note for `watched`
