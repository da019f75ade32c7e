"""A browser brought to a certain page, and what that page says."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from tests.support.bank_core import ANNA

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk, Browser

_WRONG_CODES = ("000000", "111111")


def status(desk: BankDesk, interaction: str) -> str:
    return str(desk.internal("GET", f"/internal/interactions/{interaction}").json["status"])  # type: ignore[index]


def heading(page: TestResponse) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    assert found is not None, page.text[:2000]
    return " ".join(html.unescape(found[1]).split())


def signed_in(desk: BankDesk, kind: str = "ais", resource: str = "", psu: str = ANNA) -> tuple[Browser, str]:
    """Return a browser that has signed in for a new visit, and the visit's address."""
    interaction = desk.begin(kind, resource or desk.consent())
    browser = desk.browser()
    browser.log_in(interaction, desk.password, psu=psu)
    return browser, f"/psu/{interaction}"


def at_code(desk: BankDesk, **changes: Any) -> tuple[Browser, str]:
    """Return a browser on the code page of a payment."""
    browser, visit = signed_in(desk, "pis", desk.payment(**changes))
    browser.post(f"{visit}/send")
    browser.get(visit)
    return browser, visit


def wrong_code(desk: BankDesk) -> str:
    return next(code for code in _WRONG_CODES if code != desk.code())
