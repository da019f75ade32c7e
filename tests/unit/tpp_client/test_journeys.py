"""Journeys against a fake bank: the order of the calls, and where a wrong answer ends them."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from psd2.money import Money
from psd2.roles import PspRole
from tests.support.pki import Authority
from tests.unit.tpp_client.fakes import answer
from tpp_client.errors import AuthorizationRefused, Refused, TppClientError, UnexpectedResponse
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.catalogue import journeys_for, run_journey
from tpp_client.journeys.console import ConsoleNarrator
from tpp_client.journeys.piis import piis_journey
from tpp_client.journeys.pis import embedded_journey, pis_journey
from tpp_client.journeys.stage import HeadlessPsu

if TYPE_CHECKING:
    from tests.unit.tpp_client.fake_bank import FakeBank
    from tpp_client.journeys.narration import Recorder
    from tpp_client.journeys.stage import Stage
    from tpp_client.wire import HttpRequest, HttpResponse

ANNA = "anna.weber"


def test_account_information_goes_from_metadata_to_transactions(stage: Stage, bank: FakeBank) -> None:
    """BG IG §6: the consent comes first, then the PSU, then the token, then the data."""
    result = ais_journey(stage)

    assert bank.calls == [
        "GET /.well-known/oauth-authorization-server",
        "POST /v1/consents",
        "POST /sandbox/v1/psu-interactions",
        "POST /token",
        "POST /introspect",
        "GET /v1/consents/c1/status",
        "GET /v1/accounts",
        "GET /v1/accounts/a1/balances",
        "GET /v1/accounts/a1/transactions",
    ]
    assert result.reports[0].balances[0].amount == Money(10000, "EUR")
    assert result.as_json()["consent_id"] == "c1"
    assert "acc3ss" not in json.dumps(result.as_json())
    assert "acc3ss" not in repr(result)


def test_the_consent_stands_in_the_scope(stage: Stage, bank: FakeBank) -> None:
    """BG IG §13.1: `AIS:<consentId>`."""
    ais_journey(stage)

    asked = json.loads(bank.requests[2].body or b"")
    assert "scope=AIS%3Ac1" in asked["url"]


def test_a_bank_whose_clock_is_ahead_is_asked_by_its_own_day(stage: Stage, bank: FakeBank) -> None:
    """A tenant's clock can be put forward by months: 90 days from our day have passed then."""
    passed = {"category": "ERROR", "code": "PERIOD_INVALID", "text": "it has passed", "path": "validUntil"}
    consents = iter([answer(400, {"tppMessages": [passed]}), answer(201, {"consentId": "c1", "consentStatus": "received"})])
    bank.answers["POST /v1/consents"] = lambda _: next(consents)
    bank.answers["GET /sandbox/v1/clock"] = lambda _: answer(200, {"now": "2027-03-01T08:00:00+00:00"})

    ais_journey(stage)

    asked = [json.loads(request.body or b"") for request in bank.requests if request.url.endswith("/v1/consents")]
    assert [each["validUntil"] for each in asked] == ["2027-02-20", "2027-05-30"]


def test_a_token_bound_to_another_certificate_is_not_used(stage: Stage, bank: FakeBank) -> None:
    """RFC 8705 §3.1: somebody else could use it too."""
    bank.answers["POST /introspect"] = lambda _: answer(200, {"active": True, "cnf": {"x5t#S256": "other"}})

    with pytest.raises(UnexpectedResponse, match="bound to other"):
        ais_journey(stage)
    assert "GET /v1/accounts" not in bank.calls


def test_an_unbound_token_is_not_used(stage: Stage, bank: FakeBank) -> None:
    """A bearer token is anybody's."""
    bank.answers["POST /introspect"] = lambda _: answer(200, {"active": True})

    with pytest.raises(UnexpectedResponse, match="bound to None"):
        ais_journey(stage)


def test_a_refusing_psu_ends_the_journey(stage: Stage, bank: FakeBank) -> None:
    """No code, no token call."""
    refusing = dataclasses.replace(stage, psu=HeadlessPsu(xs2a=stage.xs2a, psu=ANNA, result="REJECTED"))

    with pytest.raises(AuthorizationRefused, match="access_denied"):
        ais_journey(refusing)
    assert "POST /token" not in bank.calls


def test_a_payment_is_followed_until_it_is_settled(stage: Stage, bank: FakeBank) -> None:
    """BG IG §5.4: RCVD, then ACSC."""
    steps = iter(["RCVD", "ACTC", "ACSC"])
    path = "GET /v1/payments/sepa-credit-transfers/p1/status"
    bank.answers[path] = lambda _: answer(200, {"transactionStatus": next(steps)})

    result = pis_journey(stage, ANNA)

    assert (result.status, result.order.debtor_iban, result.order.creditor_iban) == ("ACSC", "DE1", "DE2")
    assert bank.calls.count(path) == 3


@pytest.mark.parametrize(("status", "reason"), [("RJCT", "did not execute"), ("RCVD", "still RCVD")])
def test_a_payment_that_fails_or_hangs_ends_the_journey(stage: Stage, bank: FakeBank, status: str, reason: str) -> None:
    """Both end with a reason, the second after a bounded number of looks."""
    bank.answers["GET /v1/payments/sepa-credit-transfers/p1/status"] = lambda _: answer(200, {"transactionStatus": status})

    with pytest.raises(TppClientError, match=reason):
        pis_journey(stage, ANNA)


def test_an_unknown_psu_is_told_who_is_known(stage: Stage) -> None:
    """The message helps with a misspelt name."""
    with pytest.raises(TppClientError, match=r"no PSU 'ana\.weber' .* there are: anna\.weber, max\.frei"):
        pis_journey(stage, "ana.weber")


def test_funds_are_confirmed_for_a_small_and_denied_for_a_huge_amount(stage: Stage) -> None:
    """BG IG §10."""
    result = piis_journey(stage, ANNA)

    assert (result.small_is_covered, result.huge_is_covered) == (True, False)


def test_a_bank_that_always_says_yes_is_found_out(stage: Stage, bank: FakeBank) -> None:
    """A sandbox with canned answers would say yes to everything."""
    bank.answers["POST /v1/funds-confirmations"] = lambda _: answer(200, {"fundsAvailable": True})

    with pytest.raises(TppClientError, match="does not look"):
        piis_journey(stage, ANNA)


def test_a_failed_journey_keeps_its_reason(stage: Stage, bank: FakeBank) -> None:
    """What `--json` shows when a step fails."""
    refused = {"tppMessages": [{"code": "ROLE_INVALID", "text": "no"}], "reason": "psd2.role"}
    bank.answers["POST /v1/consents"] = lambda _: answer(401, refused)

    outcome = run_journey(journeys_for("ais", stage.identity.certificate)[0], stage, ANNA)

    assert isinstance(outcome.failure, Refused)
    assert outcome.as_json() == {
        "journey": "ais",
        "ok": False,
        "error": "401 ROLE_INVALID: no [reason psd2.role]",
        "reason": "psd2.role",
    }


def test_all_means_what_the_roles_allow() -> None:
    """An AISP goes one journey, and `all` of nothing is an error."""
    from psd2.certificates import parse_certificate

    aisp = parse_certificate(Authority().qwac(roles=frozenset({PspRole.AI})).der)
    aspsp = parse_certificate(Authority().qwac(roles=frozenset({PspRole.AS})).der)

    assert [journey.name for journey in journeys_for("all", aisp)] == ["ais"]
    with pytest.raises(TppClientError, match="AISP, PISP, CBPII"):
        journeys_for("all", aspsp)


def test_steps_are_recorded_with_what_went_over_the_wire(stage: Stage, recorder: Recorder) -> None:
    """Each exchange stands under its step; no secret is in the record."""
    ais_journey(stage)

    record = json.dumps([step.as_json() for step in recorder.steps])
    assert recorder.steps[0].title == "Read the authorization server's metadata"
    assert recorder.steps[0].exchanges[0].status == 200
    assert "acc3ss" not in record
    assert "c0de" not in record


def test_each_journey_has_its_own_chapter(stage: Stage, bank: FakeBank, recorder: Recorder) -> None:
    """Also when one fails before its first step is done."""
    bank.answers["GET /sandbox/v1/data"] = lambda _: answer(503)

    several = journeys_for("all", stage.identity.certificate)
    for journey in several:
        run_journey(journey, stage, ANNA)

    assert [len(chapter) for chapter in recorder.chapters] == [7, *[1] * (len(several) - 1)]


def test_the_console_tells_the_same_story(stage: Stage) -> None:
    """Method, address, status, fields; no escape codes where it is no terminal."""
    page = io.StringIO()
    narrator = ConsoleNarrator(Console(file=page, highlight=False))
    told = dataclasses.replace(stage, narrator=narrator)

    pis_journey(told, ANNA)

    text = page.getvalue()
    assert " 1  See who banks here" in text
    assert "✓ order: Anna Weber pays Max Frei 12.00 EUR" in text
    assert "\x1b" not in text


def test_embedded_the_tpp_passes_on_what_the_bank_asks_for(stage: Stage, bank: FakeBank) -> None:
    """Password, method, code from the inbox: each to the address that the answer before has named (BG IG §7)."""
    own = "/v1/payments/sepa-credit-transfers/p1/authorisations"
    sms = {"authenticationMethodId": "m1", "authenticationType": "SMS_OTP"}
    links = {
        "received": ("startAuthorisationWithPsuIdentification", own),
        "psuIdentified": ("updatePsuAuthentication", f"{own}/a1"),
        "psuAuthenticated": ("selectAuthenticationMethod", f"{own}/a1"),
        "scaMethodSelected": ("authoriseTransaction", f"{own}/a1"),
    }

    def told(status: str, **more: object) -> dict[str, object]:
        named = {links[status][0]: {"href": links[status][1]}} if status in links else {}
        return {"scaStatus": status, "_links": named, **more}

    steps = iter(
        (
            told("psuAuthenticated", scaMethods=[{"authenticationMethodId": "m9", "authenticationType": "CHIP_OTP"}, sms]),
            told("scaMethodSelected", chosenScaMethod=sms),
            told("finalised"),
        )
    )
    made = {"paymentId": "p1", "transactionStatus": "RCVD"} | told("received")
    message = {"channel": "sms", "subject": "code", "text": "your code is 314159."}
    bank.answers |= {
        "POST /v1/payments/sepa-credit-transfers": lambda _: answer(201, made, {"aspsp-sca-approach": "EMBEDDED"}),
        f"POST {own}": lambda _: answer(201, told("psuIdentified")),
        f"PUT {own}/a1": lambda _: answer(200, next(steps)),
        "GET /sandbox/v1/inbox": lambda _: answer(200, {"messages": [message]}),
    }

    assert embedded_journey(stage, ANNA).status == "ACSC"

    updates = [json.loads(request.body or b"") for request in bank.requests if request.method == "PUT"]
    assert updates == [
        {"psuData": {"password": "x"}},
        {"authenticationMethodId": "m1"},
        {"scaAuthenticationData": "314159"},
    ]


def test_a_bank_that_chooses_another_approach_ends_the_journey(stage: Stage, bank: FakeBank) -> None:
    """It is the bank's choice (BG IG §6.3.1.1), and the message says so."""
    made = {"paymentId": "p1", "transactionStatus": "RCVD"}
    bank.answers["POST /v1/payments/sepa-credit-transfers"] = lambda _: answer(201, made, {"aspsp-sca-approach": "REDIRECT"})

    with pytest.raises(TppClientError, match="by REDIRECT, this journey is about EMBEDDED"):
        embedded_journey(stage, ANNA)


def test_an_authorisation_without_a_next_step_is_not_guessed_at(stage: Stage, bank: FakeBank) -> None:
    """The links steer; where there is none, the journey says which there are."""
    made = {"paymentId": "p1", "transactionStatus": "RCVD", "scaStatus": "received", "_links": {"self": {"href": "/p1"}}}
    bank.answers["POST /v1/payments/sepa-credit-transfers"] = lambda _: answer(201, made, {"aspsp-sca-approach": "EMBEDDED"})

    with pytest.raises(UnexpectedResponse, match="no link says what comes next: self"):
        embedded_journey(stage, ANNA)


def test_a_bank_that_shows_less_is_asked_for_less(stage: Stage, bank: FakeBank) -> None:
    """BG IG §6.6.1: booked ones only, and not from before its own 90 days; what it refuses for another reason ends the way."""
    path = "GET /v1/accounts/a1/transactions"
    right = bank.answers[path]
    refusals = iter(["bookingStatus", "dateFrom"])

    def transactions(request: HttpRequest) -> HttpResponse:
        fault = next(refusals, None)
        return right(request) if fault is None else answer(400, {"tppMessages": [{"code": "PERIOD_INVALID", "path": fault}]})

    bank.answers[path] = transactions
    bank.answers["GET /sandbox/v1/clock"] = lambda _: answer(200, {"now": "2027-03-01T08:00:00+00:00"})

    ais_journey(stage)
    assert [request.url.partition("?")[2] for request in bank.requests if "/transactions?" in request.url] == [
        "dateFrom=2026-08-24&bookingStatus=both",
        "dateFrom=2026-08-24&bookingStatus=booked",
        "dateFrom=2026-12-01&bookingStatus=booked",
    ]

    refusals = iter(["dateTo"])
    with pytest.raises(Refused):
        ais_journey(stage)
