"""Accounts and movements: one's own only, tokens renewed in time, the end of a connection told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tests.unit.tpp_client.fakes import answer
from tests.unit.tpp_client.web.conftest import ACCESS, BOOKED, CONSENT, REFRESH, movement, refusal, tokens
from tpp_client.errors import IdentityUnusable, TransportFailed

if TYPE_CHECKING:
    from psd2.clock import FixedClock
    from tests.unit.tpp_client.fake_bank import FakeBank
    from tests.unit.tpp_client.web.conftest import Browser, FakeDesk
    from tpp_client.wire import HttpRequest, HttpResponse

HOSTILE = "<script>alert('x')</script>"
ACCOUNTS = "GET /v1/accounts"
A_CONSENT = "GET /v1/consents/c1"
MOVEMENTS = "GET /v1/accounts/a1/transactions"


def presented(bank: FakeBank, path: str) -> list[str]:
    return [one.headers["Authorization"] for one in bank.requests if one.url.endswith(path)]


def test_without_a_connection_every_page_of_accounts_leads_to_the_start(browser: Browser, bank: FakeBank) -> None:
    """And asks the bank nothing."""
    for path in ("/accounts", "/accounts/a1", "/connection"):
        assert browser.get(path).status_code == 303
    assert bank.calls == []


def test_two_browsers_see_their_own_accounts_only(browser: Browser, other: Browser) -> None:
    """One is connected, the other is not, whatever the first sees."""
    browser.connect()

    assert browser.get("/accounts/a1").status_code == 200
    assert other.get("/accounts/a1").status_code == 303


def test_an_account_outside_the_consent_is_not_asked_for(browser: Browser, bank: FakeBank) -> None:
    """An id from elsewhere is no page, and the bank does not hear of it."""
    browser.connect()
    for account in ("a2", "../consents/c1", "%2e%2e"):
        assert browser.get(f"/accounts/{account}").status_code == 404
    assert not [call for call in bank.calls if "a2" in call or ".." in call]


def test_sums_are_kept_by_currency(browser: Browser, bank: FakeBank) -> None:
    """Euro and kronor are not added up."""
    accounts = [
        {"resourceId": "a1", "iban": "DE1", "currency": "EUR", "name": "One"},
        {"resourceId": "a2", "iban": "DE2", "currency": "SEK", "name": "Two"},
    ]
    bank.answers[ACCOUNTS] = lambda _: answer(200, {"accounts": accounts})
    kronor = {"balanceType": "interimBooked", "balanceAmount": {"currency": "SEK", "amount": "7.00"}}
    bank.answers["GET /v1/accounts/a2/balances"] = lambda _: answer(200, {"balances": [kronor]})
    page = browser.connect()

    assert "100.00\N{NO-BREAK SPACE}EUR" in page.text
    assert "7.00\N{NO-BREAK SPACE}SEK" in page.text


def test_nothing_the_bank_says_is_markup(browser: Browser, bank: FakeBank) -> None:
    """Names of accounts and people, purposes, in page, chart and wire."""
    account = {"resourceId": "a1", "iban": "DE1", "currency": "EUR", "name": HOSTILE}
    booked = [movement("2026-11-20", "-1.00", HOSTILE, "5.00")]
    bank.answers[ACCOUNTS] = lambda _: answer(200, {"accounts": [account]})
    bank.answers[MOVEMENTS] = lambda _: answer(200, {"transactions": {"booked": booked, "_links": {}}})

    for page in (browser.connect(), browser.get("/accounts/a1"), browser.get("/accounts/a1", q=HOSTILE)):
        assert page.status_code == 200
        assert "<script>alert" not in page.text


def test_a_month_shows_its_movements_and_two_charts(browser: Browser, bank: FakeBank) -> None:
    """Asked for from the first day of the month to today."""
    browser.connect()
    page = browser.get("/accounts/a1")

    assert "Employer" in page.text
    assert page.text.count('class="chart-drawing"') == 2
    assert "dateFrom=2026-11-01&dateTo=2026-11-22" in bank.requests[-1].url


def test_without_balances_after_movements_one_chart_is_drawn(browser: Browser, bank: FakeBank) -> None:
    """A line that would be made up is left out."""
    booked = [{name: value for name, value in one.items() if name != "balanceAfterTransaction"} for one in BOOKED]
    bank.answers[MOVEMENTS] = lambda _: answer(200, {"transactions": {"booked": booked, "_links": {}}})
    browser.connect()

    assert browser.get("/accounts/a1").text.count('class="chart-drawing"') == 1


def test_movements_are_searched_and_filtered(browser: Browser) -> None:
    """By the other side or the purpose, and by the way."""
    browser.connect()

    assert "Bakery" not in browser.get("/accounts/a1", q="rent").text
    assert "Employer" in browser.get("/accounts/a1", way="in").text
    assert "Employer" not in browser.get("/accounts/a1", way="out").text
    assert "Nothing in November 2026 matches" in browser.get("/accounts/a1", q="nobody").text


@pytest.mark.parametrize(
    "query",
    [{"month": "2026-13"}, {"month": "2027-01"}, {"month": "x" * 5000}, {"page": "0"}, {"page": "many"}, {"way": "up"}],
)
def test_what_can_not_be_looked_at_is_no_page(browser: Browser, query: dict[str, str]) -> None:
    """A clear 404, never a crash."""
    browser.connect()

    assert browser.get("/accounts/a1", **query).status_code == 404


def test_a_token_that_runs_out_is_renewed_before_it_is_used(browser: Browser, bank: FakeBank, clock: FixedClock) -> None:
    """With the refresh token, and only once for all of a page's calls."""
    browser.connect()
    bank.answers["POST /token"] = lambda _: answer(200, tokens("another-t0ken-of-the-bank"))
    clock.advance(dt.timedelta(minutes=6))
    renewals = bank.calls.count("POST /token")

    assert browser.get("/accounts").status_code == 200
    assert bank.calls.count("POST /token") == renewals + 1
    assert presented(bank, "/v1/accounts")[-1] == "Bearer another-t0ken-of-the-bank"


def test_a_token_that_the_bank_takes_no_more_is_renewed(browser: Browser, bank: FakeBank) -> None:
    """As after a renewed certificate: the token was bound to the old one (RFC 8705 §3)."""
    browser.connect()

    def only_fresh(request: HttpRequest) -> HttpResponse:
        if request.headers["Authorization"] == f"Bearer {ACCESS}":
            return refusal(401, "TOKEN_INVALID", "bound to another certificate")(request)
        return answer(200, {"accounts": [{"resourceId": "a1", "iban": "DE1", "currency": "EUR"}]})

    bank.answers[ACCOUNTS] = only_fresh
    bank.answers["POST /token"] = lambda _: answer(200, tokens("another-t0ken-of-the-bank"))

    assert browser.get("/accounts").status_code == 200


def test_a_token_refused_again_and_again_ends_the_connection(browser: Browser, bank: FakeBank) -> None:
    """One renewal, then it is over: no loop."""
    browser.connect()
    bank.answers[ACCOUNTS] = refusal(401, "TOKEN_INVALID", "never good enough")
    renewals = bank.calls.count("POST /token")

    assert browser.get("/accounts").status_code == 303
    assert bank.calls.count("POST /token") == renewals + 1
    assert "has ended" in browser.get("/").text


def test_a_consent_that_lacks_a_signature_keeps_its_connection(browser: Browser, bank: FakeBank) -> None:
    """The page says whose turn it is; once the other has signed, the accounts are there, with no new consent."""
    browser.connect()
    opened = bank.answers[ACCOUNTS]
    card = {"maskedPan": "541333******1230", "currency": "EUR"}
    waiting = CONSENT | {"consentStatus": "partiallyAuthorised", "access": {"accounts": [card, {"iban": "DE1"}]}}
    bank.answers[ACCOUNTS] = refusal(401, "CONSENT_INVALID", "the consent is partiallyAuthorised")
    bank.answers[A_CONSENT] = lambda _: answer(200, waiting)

    sent = browser.get("/accounts")
    assert (sent.status_code, sent.headers["Location"]) == (303, "/connection")
    page = browser.get("/connection").text
    assert "Another signature is needed" in page
    assert "5413 33** **** 1230" in page

    bank.answers[ACCOUNTS] = opened
    assert browser.get("/accounts").status_code == 200


@pytest.mark.parametrize("code", ["CONSENT_EXPIRED", "CONSENT_INVALID", "CONSENT_UNKNOWN"])
def test_a_consent_that_has_ended_is_told_in_the_banks_words(browser: Browser, bank: FakeBank, code: str) -> None:
    """The start page says why and offers to connect again; the tokens are forgotten."""
    browser.connect()
    bank.answers[ACCOUNTS] = refusal(401, code, "terminated by the PSU at the bank")

    assert browser.get("/accounts").location == "/"
    start = browser.get("/").text
    assert "terminated by the PSU at the bank" in start
    assert "Connect again" in start
    before = len(bank.calls)
    browser.get("/accounts")
    assert len(bank.calls) == before


def test_a_refresh_token_that_is_no_more_ends_the_connection(browser: Browser, bank: FakeBank, clock: FixedClock) -> None:
    """RFC 6749 §5.2."""
    browser.connect()
    bank.answers["POST /token"] = lambda _: answer(400, {"error": "invalid_grant", "error_description": "revoked"})
    clock.advance(dt.timedelta(minutes=6))

    assert browser.get("/accounts").location == "/"
    assert "revoked" in browser.get("/").text


def test_a_bank_that_is_away_for_a_moment_ends_nothing(browser: Browser, bank: FakeBank) -> None:
    """The next look succeeds with the same connection."""
    browser.connect()
    standing = bank.answers[ACCOUNTS]

    def away(_request: HttpRequest) -> HttpResponse:
        raise TransportFailed("no answer to GET https://localhost:8443/v1/accounts: refused")

    bank.answers[ACCOUNTS] = away
    page = browser.get("/accounts")
    assert page.status_code == 503
    assert "no answer" in page.text
    bank.answers[ACCOUNTS] = standing
    assert browser.get("/accounts").status_code == 200


def test_a_revoked_certificate_is_the_apps_fault_and_not_the_persons(browser: Browser, bank: FakeBank) -> None:
    """Clear, with what the bank said; the connection stands for when the certificate is renewed."""
    browser.connect()
    standing = bank.answers[ACCOUNTS]
    bank.answers[ACCOUNTS] = refusal(401, "CERTIFICATE_REVOKED", "revoked on 22 November")
    page = browser.get("/accounts")

    assert page.status_code == 503
    assert "does not let this app in" in page.text
    assert "CERTIFICATE_REVOKED" in page.text
    bank.answers[ACCOUNTS] = standing
    assert browser.get("/accounts").status_code == 200


def test_an_app_without_registration_says_so(browser: Browser, desk: FakeDesk) -> None:
    """Without the paths of the operator's files, which go to the log."""
    desk.fault = IdentityUnusable("/srv/home/certs/tpps/kontoblick/qwac.crt is missing")
    page = browser.post("/connect")

    assert page.status_code == 503
    assert "not registered at the bank" in page.text
    assert "/srv/home" not in page.text
    assert browser.get("/").status_code == 200


def test_the_connection_page_tells_what_is_granted_and_how_often_was_asked(browser: Browser) -> None:
    """Two calls at connecting, two more at looking again: accounts and balances of one account."""
    browser.connect()
    assert "2 times" in browser.get("/connection").text
    browser.get("/accounts")
    page = browser.get("/connection").text

    assert "4 times" in page
    assert "20 February 2027" in page
    assert "balances, transactions" in page


def test_every_call_says_where_the_person_sits(browser: Browser, bank: FakeBank) -> None:
    """PSU-IP-Address is the browser's, as the edge tells: the PSU is present, and no reading counts as unattended."""
    browser.connect()

    reading = [one for one in bank.requests if "/v1/" in one.url]
    assert {one.headers["PSU-IP-Address"] for one in reading} == {"192.0.2.1"}


def test_a_refresh_token_stays_where_no_new_one_comes(browser: Browser, bank: FakeBank, clock: FixedClock) -> None:
    """RFC 6749 §6: it is used again."""
    browser.connect()
    bank.answers["POST /token"] = lambda _: answer(200, tokens("another-t0ken-of-the-bank"))
    for _ in range(2):
        clock.advance(dt.timedelta(minutes=6))
        assert browser.get("/accounts").status_code == 200

    refreshes = [one for one in bank.requests if b"grant_type=refresh_token" in (one.body or b"")]
    assert all(REFRESH.encode() in (one.body or b"") for one in refreshes)
    assert len(refreshes) == 2
