"""Connecting a bank: the way there, the answer, and every answer that is none."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from tests.unit.tpp_client.fakes import answer
from tests.unit.tpp_client.web.conftest import ACCESS, REFRESH, refusal
from tpp_client.web.browser import COOKIE

if TYPE_CHECKING:
    from psd2.clock import FixedClock
    from tests.unit.tpp_client.fake_bank import FakeBank
    from tests.unit.tpp_client.web.conftest import Browser
    from tpp_client.web.bootstrap import Services
    from tpp_client.wire import HttpRequest, HttpResponse


def token_calls(bank: FakeBank) -> int:
    return bank.calls.count("POST /token")


def test_the_browser_is_sent_to_the_bank_with_pkce_and_a_state(browser: Browser) -> None:
    """The consent is asked for first; S256 always (RFC 7636 §4.2)."""
    asked = browser.sent_to_bank()

    assert asked["scope"] == "AIS:c1"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "https://localhost:8446/callback"
    assert len(asked["state"]) >= 43


def test_the_answer_becomes_a_connection(browser: Browser, bank: FakeBank) -> None:
    """The code is exchanged with the verifier that only the server knows."""
    page = browser.connect()

    assert "100.00" in page.text
    form = parse_qs((next(one for one in bank.requests if one.url.endswith("/token")).body or b"").decode())
    assert form["grant_type"] == ["authorization_code"]
    assert len(form["code_verifier"][0]) >= 43


def test_a_bank_whose_clock_is_ahead_is_asked_by_its_own_day(browser: Browser, bank: FakeBank) -> None:
    """A sandbox's can be put forward by months: nobody could connect it any more."""
    right, refusals = bank.answers["POST /v1/consents"], iter([refusal(400, "PERIOD_INVALID", "has passed", "validUntil")])

    def refused_once(request: HttpRequest) -> HttpResponse:
        answered: HttpResponse = next(refusals, right)(request)
        return answered

    bank.answers["POST /v1/consents"] = refused_once
    bank.answers["GET /sandbox/v1/clock"] = lambda _: answer(200, {"now": "2027-05-23T08:00:00+00:00"})

    browser.sent_to_bank()

    asked = [json.loads(one.body or b"")["validUntil"] for one in bank.requests if one.url.endswith("/v1/consents")]
    assert asked[1:] == ["2027-08-21"]


def test_no_token_reaches_the_browser(browser: Browser) -> None:
    """Neither in cookies nor in any page, in whole."""
    pages = [browser.connect()] + [browser.get(path) for path in ("/", "/accounts", "/accounts/a1", "/connection")]

    seen = "".join(page.text + str(page.headers) for page in pages) + str(browser.cookies)
    assert ACCESS not in seen
    assert REFRESH not in seen
    assert ACCESS[:4] in seen  # shortened, among the calls


def test_the_cookie_changes_when_a_bank_is_connected(browser: Browser, services: Services) -> None:
    """Whoever planted or read the cookie before opens nothing with it now."""
    browser.get("/")
    before = browser.cookies[COOKIE]
    browser.connect()

    assert browser.cookies[COOKIE] != before
    assert services.visits.find(before) is None


def test_a_planted_cookie_does_not_share_the_connection(browser: Browser, other: Browser) -> None:
    """Session fixation: the planter keeps an empty visit."""
    other.get("/")
    browser.hold(other.cookies)
    browser.connect()

    assert other.get("/accounts").status_code == 303


def test_an_answer_in_a_browser_that_asked_nothing_is_not_used(other: Browser, browser: Browser, bank: FakeBank) -> None:
    """Login CSRF: somebody else's code and state lead nowhere, and nothing is remembered of whoever is sent here."""
    state = other.sent_to_bank()["state"]
    page = browser.come_back(state)

    assert page.status_code == 400
    assert "belongs to no question of yours" in page.text
    assert token_calls(bank) == 0


def test_a_forged_answer_does_not_spoil_the_right_one(browser: Browser, bank: FakeBank) -> None:
    """Somebody who guesses cannot end what is under way."""
    state = browser.sent_to_bank()["state"]

    assert browser.come_back("forged").status_code == 400
    assert token_calls(bank) == 0
    assert browser.come_back(state).status_code == 303


def test_an_answer_counts_once(browser: Browser, bank: FakeBank) -> None:
    """Reloading the callback says so and exchanges nothing."""
    state = browser.sent_to_bank()["state"]
    browser.come_back(state)
    again = browser.come_back(state)

    assert again.status_code == 400
    assert "taken already" in again.text
    assert token_calls(bank) == 1


def test_an_answer_after_a_quarter_of_an_hour_is_too_late(browser: Browser, bank: FakeBank, clock: FixedClock) -> None:
    """The page says so and offers to begin again."""
    state = browser.sent_to_bank()["state"]
    clock.advance(dt.timedelta(minutes=16))
    page = browser.come_back(state)

    assert page.status_code == 400
    assert "too late" in page.text
    assert token_calls(bank) == 0


def test_a_newer_attempt_takes_the_place_of_an_older_one(browser: Browser) -> None:
    """One at a time: the older state is no longer waited for."""
    older = browser.sent_to_bank()["state"]
    newer = browser.sent_to_bank()["state"]

    assert browser.come_back(older).status_code == 400
    assert browser.come_back(newer).status_code == 303


@pytest.mark.parametrize("issuer", ["https://evil.example", ""])
def test_another_issuers_answer_is_not_used(browser: Browser, bank: FakeBank, issuer: str) -> None:
    """A mix-up (RFC 9207 §2.4)."""
    page = browser.come_back(browser.sent_to_bank()["state"], iss=issuer)

    assert page.status_code == 400
    assert "can&#39;t be trusted" in page.text
    assert token_calls(bank) == 0


def test_a_psu_that_says_no_is_told_so(browser: Browser, bank: FakeBank) -> None:
    """No fault: nothing was granted, and one may begin again."""
    state = browser.sent_to_bank()["state"]
    page = browser.get("/callback", error="access_denied", state=state, iss="https://localhost:8441")

    assert page.status_code == 200
    assert "You said no at the bank" in page.text
    assert "Connect Musterbank" in page.text
    assert token_calls(bank) == 0


def test_what_comes_with_an_error_is_never_markup(browser: Browser) -> None:
    """The description stands in an address that anybody may write."""
    state = browser.sent_to_bank()["state"]
    hostile = "<script>alert(1)</script>"
    page = browser.get("/callback", error="server_error", error_description=hostile, state=state, iss="https://localhost:8441")

    assert "<script>alert" not in page.text
    assert page.status_code == 502


def test_a_parameter_given_twice_is_not_used(browser: Browser, bank: FakeBank) -> None:
    """RFC 6749 §3.1."""
    state = browser.sent_to_bank()["state"]
    page = browser.get(f"/callback?code=a&code=b&iss=https://localhost:8441&state={state}")

    assert page.status_code == 400
    assert token_calls(bank) == 0


def test_a_huge_answer_is_refused_without_harm(browser: Browser, bank: FakeBank) -> None:
    """What stands beyond 4,096 characters is not read: the code at the end of it is not found."""
    state = browser.sent_to_bank()["state"]
    page = browser.get(f"/callback?state={state}&iss=https://localhost:8441&padding={'x' * 5000}&code=c0de")

    assert page.status_code == 400
    assert token_calls(bank) == 0


def test_a_code_that_the_bank_refuses_is_a_page(browser: Browser, bank: FakeBank) -> None:
    """Say, because it was injected: it belongs to another verifier."""
    bank.answers["POST /token"] = lambda _: answer(400, {"error": "invalid_grant", "error_description": "not yours"})
    page = browser.come_back(browser.sent_to_bank()["state"])

    assert page.status_code == 502
    assert "invalid_grant" in page.text
    assert browser.get("/accounts").status_code == 303


def test_disconnecting_ends_the_consent_and_gives_the_tokens_back(browser: Browser, bank: FakeBank) -> None:
    """DELETE first, then both tokens, then nothing is known here."""
    browser.connect()
    assert browser.post("/disconnect").status_code == 303

    ending = [call for call in bank.calls if call.startswith(("DELETE", "POST /revoke"))]
    assert ending == ["DELETE /v1/consents/c1", "POST /revoke", "POST /revoke"]
    assert browser.get("/accounts").status_code == 303


def test_a_connection_that_can_not_be_ended_stands(browser: Browser, bank: FakeBank) -> None:
    """Nobody is told that it is over while the bank would still answer."""
    browser.connect()
    bank.answers["DELETE /v1/consents/c1"] = lambda _: answer(500, b"broken")

    assert browser.post("/disconnect").status_code == 502
    assert browser.get("/accounts").status_code == 200


def test_a_new_connection_ends_the_one_before(browser: Browser, bank: FakeBank) -> None:
    """No consent is left standing that nobody uses."""
    browser.connect()
    bank.answers["POST /v1/consents"] = lambda _: answer(201, {"consentId": "c2", "consentStatus": "received"})
    browser.connect()

    assert "DELETE /v1/consents/c1" in bank.calls


def test_calls_before_a_redirect_are_shown_on_the_page_after_it_once(browser: Browser) -> None:
    """What developers come for, with no whole secret in it."""
    page = browser.connect()
    shown = re.findall(r"<strong>(GET|POST)</strong> <code>([^<]+)</code>", page.text)

    assert ("POST", "https://localhost:8443/v1/consents") in shown
    assert ("POST", "https://localhost:8443/token") in shown
    assert "/token" not in browser.get("/accounts").text
