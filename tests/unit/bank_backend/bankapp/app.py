"""A browser that uses the bank app, and requests that wait there."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_sca import CONSENTS, consent_body

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from psd2.ids import PsuId, TenantId
    from tests.support.bank_sca import BankDesk, Browser

APP = "/psu/app"


def signed_in(desk: BankDesk, psu: PsuId = ANNA, *, tenant: TenantId = TENANT) -> Browser:
    """Return a browser that has signed in to the bank app."""
    browser = desk.browser()
    browser.get(f"{APP}/at/{tenant}")
    password = desk.bank.services.tenants.tenant(tenant).persona_password
    assert browser.post(f"{APP}/sign-in", tpp=tenant, login=psu, password=password).headers["Location"] == APP
    browser.get(APP)
    return browser


def method_of(desk: BankDesk, kind: str, psu: PsuId = ANNA) -> str:
    """Return the id of one of the PSU's methods."""
    services = desk.bank.services
    with services.database.reading() as connection:
        return next(each.id for each in services.sca.offered(connection, TENANT, psu) if each.type == kind)


def ask_for_push(desk: BankDesk, browser: Browser, visit: str, psu: PsuId = ANNA) -> None:
    """Have a visit's page ask the bank app."""
    assert browser.post(f"{visit}/send", method=method_of(desk, "push", psu)).status_code == 303


def decoupled_consent(desk: BankDesk, psu: PsuId = ANNA, **changes: Any) -> str:
    """Have the TPP ask for a consent that the PSU decides in the bank app; returns its id."""
    headers = {"TPP-Decoupled-Preferred": "true", "PSU-ID": psu}
    answer = desk.tpp.post(CONSENTS, consent_body(**changes), **headers)
    assert answer.headers["ASPSP-SCA-Approach"] == "DECOUPLED", answer.text
    return str(answer.json["consentId"])  # type: ignore[index]


def waiting(page: TestResponse) -> list[tuple[str, str]]:
    """Return authorisation and seal of each request that a page shows."""
    found = re.findall(
        r'action="/psu/app/requests/([0-9a-f-]{36})/approve".*?name="seal" value="([0-9a-f]+)"', page.text, re.DOTALL
    )
    return [(authorisation, seal) for authorisation, seal in found]


def the_one(browser: Browser) -> tuple[str, str]:
    """Return address and seal of the only request that waits."""
    ((authorisation, seal),) = waiting(browser.get(APP))
    return f"{APP}/requests/{authorisation}", seal


def words(page: TestResponse) -> str:
    """Return a page as it reads."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())
