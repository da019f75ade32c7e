"""What every test of pages in a browser needs: nothing wrong in the console, nothing for axe to find, legible on a phone.

with watched_page(chromium, viewport=PHONE, color_scheme="dark") as page:
    page.goto(...)
    assert_accessible(page)
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

# A deadline for a machine that is slow and busy: it costs nothing while all is well.
LONGEST_MILLISECONDS = 60_000
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
PASSWORD = "correct horse battery"
# Colours of both schemes at both widths: each pair once, not all four.
LOOKS: list[tuple[dict[str, int], str]] = [(PHONE, "dark"), (DESKTOP, "light")]
_REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", event =>
  console.error("Content Security Policy violated: " + event.violatedDirective + " " + event.blockedURI));"""


class Watcher:
    """Notes what goes wrong in a browser's windows: errors in the console, scripts that fail, what the content policy stops.

    A status of an answer that the test provokes is no fault: name it, as in `Watcher(context, expected={404})`.
    """

    def __init__(self, context: BrowserContext, *, expected: frozenset[int] | set[int] = frozenset()) -> None:
        self.faults: list[str] = []
        self._expected = {f"the server responded with a status of {status}" for status in expected}
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: self._note(str(error.error)))

    def _note(self, text: str) -> None:
        if not any(expected in text for expected in self._expected):
            self.faults.append(text)


@contextmanager
def watched_context(
    browser: Browser, *, expected: frozenset[int] | set[int] = frozenset({422}), **options: Any
) -> Iterator[BrowserContext]:
    """Open a browser window of its own; at the end fail on everything that went wrong in it."""
    context = browser.new_context(ignore_https_errors=True, **options)
    context.set_default_timeout(LONGEST_MILLISECONDS)
    watcher = Watcher(context, expected=expected)
    try:
        yield context
    finally:
        context.close()
    assert watcher.faults == []


@contextmanager
def watched_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """Open one page in a window of its own; options are those of `watched_context` and of playwright's `new_context`."""
    with watched_context(browser, **options) as context:
        yield context.new_page()


def assert_accessible(page: Page) -> None:
    """Fail on anything that axe finds, and on a page that has to be scrolled sideways. Needs JavaScript."""
    results = Axe().run(page)
    found = [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]
    assert found == [], f"{page.url}: {found}"
    assert_fits(page)


def assert_fits(page: Page) -> None:
    """Fail where the page is wider than its window."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} pixels wider than the window"


def sign_up_and_in(
    page: Page, portal_url: str, email: str, *, organisation: str = "Acme GmbH", name: str = "Anna Weber"
) -> None:
    """Make an account by the pages and sign in with it; afterwards the page is the first page, signed in."""
    page.goto(f"{portal_url}/sign-up")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Organisation").fill(organisation)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(f"{portal_url}/sign-in")
    sign_in(page, email)
    page.wait_for_url(f"{portal_url}/")


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill and send the sign-in form of this page."""
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
