"""Inbox and test data, over HTTP."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest

from psd2.money import Money
from sandbox.portal.pages.people import grouped
from tests.support.portal import PortalUnderTest, without_form_token
from tests.support.register import NUMBER, REGISTRATION, ROOMY
from tests.support.tenant_data import NEXT_PAGE, PASSWORD, message, movement

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

PAGES = ["inbox", "data", "data/1"]
POLL = {"HX-Request": "true"}


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    """Lend a portal with a developer signed in, who owns a TPP."""
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as("anna@acme.example")
    portal.owned_tpp()
    return portal


def ask(portal: PortalUnderTest, path: str, **options: object) -> TestResponse:
    return portal.get(f"/tpps/{NUMBER}/{path}", **options)


def page_of(portal: PortalUnderTest, path: str) -> str:
    """Return a page that must be there, entities resolved."""
    answer = ask(portal, path)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.get_data(as_text=True))


def poll_of(page: str) -> str:
    """Return the address that the list asks for news."""
    found = re.search(r'hx-get="/tpps/[^/]+/([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


def test_an_empty_inbox_says_when_messages_come(portal: PortalUnderTest) -> None:
    """And where to go for one."""
    page = page_of(portal, "inbox")

    assert "No messages yet" in page
    assert "one-time code" in page
    assert f"/tpps/{NUMBER}/first-call" in page


def test_the_code_stands_out(portal: PortalUnderTest) -> None:
    """Large, by itself; the text of the message below it."""
    portal.tenant_data.messages = [message("Musterbank: your code is 482915. With it you pay 12.00 EUR.")]

    page = page_of(portal, "inbox")

    assert '<p class="one-time-code">482915</p>' in page
    assert "With it you pay 12.00 EUR." in page
    assert '<time datetime="2026-11-22T13:05:00+00:00">' in page


def test_one_personas_messages_only(portal: PortalUnderTest) -> None:
    """The filter is a plain link; an unknown persona is no page."""
    portal.tenant_data.messages = [message("to Anna"), message("to Helga", psu="helga.lindner")]

    page = page_of(portal, "inbox?psu=helga.lindner")

    assert "to Helga" in page
    assert "to Anna" not in page
    assert "psu=helga.lindner" in poll_of(page)
    assert ask(portal, "inbox?psu=nobody").status_code == 404


def test_a_poll_answers_nothing_while_nothing_is_new(portal: PortalUnderTest) -> None:
    """204: the list stays, and with it a code that is marked; then the list alone, which asks anew."""
    page = page_of(portal, "inbox")
    assert ask(portal, poll_of(page), headers=POLL).status_code == 204

    portal.tenant_data.messages = [message("Your code is 111111.")]
    news = ask(portal, poll_of(page), headers=POLL)

    assert news.status_code == 200
    fragment = news.get_data(as_text=True)
    assert "111111" in fragment
    assert "<html" not in fragment
    assert ask(portal, poll_of(fragment), headers=POLL).status_code == 204


def test_what_a_message_holds_stays_text(portal: PortalUnderTest) -> None:
    """A remittance text comes from a TPP, and lands in the PSU's message."""
    portal.tenant_data.messages = [message("<img src=x onerror=alert(1)> code is 123456")]

    assert "<img src=x" not in ask(portal, "inbox").get_data(as_text=True)


def test_personas_with_what_to_log_in(portal: PortalUnderTest) -> None:
    """Login, password, purpose, and every account with its balances."""
    page = page_of(portal, "data")

    assert page.count(PASSWORD) == 3
    assert "what Anna Weber is for" in page
    assert '<code class="login">DE1</code>' in page
    assert "1\u202f234\u202f567.89\u202fEUR" in page
    assert "\u22120.05\u202fEUR" in page
    assert "Holds no account" in page


def test_a_new_account_that_has_no_balances_yet_is_no_fault(portal: PortalUnderTest) -> None:
    """Personas and balances are asked for one after the other."""
    del portal.tenant_data.books["3"]

    assert "DE3" in page_of(portal, "data")


def test_the_movements_of_an_account(portal: PortalUnderTest) -> None:
    """Pending and booked, the holders, and the way to older ones."""
    page = page_of(portal, "data/1")

    assert "\u221220.00\u202fEUR" in page
    assert "Pending" in page
    assert "Anna Weber" in page
    assert f"page={NEXT_PAGE}" in page
    assert "Newest" in page_of(portal, f"data/1?page={NEXT_PAGE}")


def test_an_account_without_movements_says_how_to_get_one(portal: PortalUnderTest) -> None:
    """An empty table would leave one wondering."""
    portal.tenant_data.movements = ()

    assert "Nothing has been booked yet" in page_of(portal, "data/1")


def test_what_a_movement_holds_stays_text(portal: PortalUnderTest) -> None:
    """Remittance information is whatever some TPP wrote."""
    portal.tenant_data.movements = (movement("-1.00", text="<script>alert(1)</script>"),)

    assert "<script>alert" not in ask(portal, "data/1").get_data(as_text=True)


@pytest.mark.parametrize("path", ["data/999", "data/1?page=x", "data/..%2f1"])
def test_an_account_that_is_not_there(portal: PortalUnderTest, path: str) -> None:
    """404, whatever was wrong."""
    assert ask(portal, path).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_another_organisations_people_do_not_exist(portal: PortalUnderTest, path: str) -> None:
    """Their codes and passwords would open their consents: the bank is not even asked."""
    other = portal.browser()
    portal.sign_in_as("bob@globex.example", organisation="Globex", browser=other)

    theirs = ask(portal, path, browser=other)
    nobodys = portal.get(f"/tpps/PSDDE-BAFIN-777777/{path}", browser=other)

    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert without_form_token(theirs).replace(NUMBER, "") == without_form_token(nobodys).replace("PSDDE-BAFIN-777777", "")
    assert portal.tenant_data.asked == []


def test_a_poll_is_no_way_around(portal: PortalUnderTest) -> None:
    """The fragment asks who is asking as the page does."""
    other = portal.browser()
    portal.sign_in_as("bob@globex.example", organisation="Globex", browser=other)

    assert ask(portal, "inbox", browser=other, headers=POLL).status_code == 404
    assert ask(portal, "inbox", browser=portal.browser(), headers=POLL).status_code != 200
    assert portal.tenant_data.asked == []


@pytest.mark.parametrize("path", PAGES)
def test_a_bank_that_is_down_is_named(portal: PortalUnderTest, path: str) -> None:
    """503, with the service and what to do; where it listens inside is nobody's business."""
    portal.tenant_data.is_down = True

    answer = ask(portal, path, headers={"Accept": "text/html"})

    assert answer.status_code == 503
    page = html.unescape(answer.get_data(as_text=True))
    assert "bank service can't be reached" in page
    assert "9005" not in page


@pytest.mark.parametrize("path", [*PAGES, "first-call", "first_call.py", "postman.json"])
def test_a_registration_that_broke_off_is_continued_first(tmp_path: Path, path: str) -> None:
    """There may be no tenant yet: the TPP's page says what to do."""
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as("anna@acme.example")
    portal.world.bank.is_down = True
    assert portal.call("POST", "/api/tpps", json=REGISTRATION).status_code == 503
    portal.world.store.claim(portal.world.register.require(NUMBER), portal.visitor().organisation.id, limits=ROOMY)

    answer = ask(portal, path)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tpps/{NUMBER}")
    assert portal.tenant_data.asked == []


@pytest.mark.parametrize(
    ("text", "currency", "written"),
    [
        ("0", "EUR", "0.00 EUR"),
        ("-0.05", "EUR", "\u22120.05 EUR"),
        ("1234.5", "USD", "1 234.50 USD"),
        ("999", "EUR", "999.00 EUR"),
        ("-1234567", "JPY", "\u22121 234 567 JPY"),
        ("12345.678", "KWD", "12 345.678 KWD"),
    ],
)
def test_amounts_are_written_alike_everywhere(text: str, currency: str, written: str) -> None:
    """As many digits as the currency has, on one line; no country's comma."""
    assert grouped(Money.parse(text, currency)).replace("\u202f", " ") == written
