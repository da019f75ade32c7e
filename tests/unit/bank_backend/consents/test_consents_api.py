"""`/v1/consents` over HTTP: made, read, ended, authorised; and never another TPP's (BG IG 1.3.8 §6.3, §6.4, §7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.bank_core import ANNA, KARL, OTHER_TENANT
from tests.support.bank_sca import CONSENTS, BankDesk, Tpp, consent_body, refusal

if TYPE_CHECKING:
    from typing import Any

DISCOVERY = "https://localhost:8441/.well-known/oauth-authorization-server"


def status_of(desk: BankDesk, consent: str) -> str:
    return str(desk.tpp.get(f"{CONSENTS}/{consent}/status").json["consentStatus"])  # type: ignore[index]


def test_a_new_consent_says_where_to_authorise_it(desk: BankDesk) -> None:
    """Implicit start: an authorisation exists already, and scaOAuth leads to the metadata (BG IG §6.3.1.1)."""
    answer = desk.tpp.post(CONSENTS, consent_body(), X_Request_ID="99391c7e-ad88-49ec-a2ad-99ddcb1f7721")

    body: Any = answer.json
    path = f"{CONSENTS}/{body['consentId']}"
    (authorisation,) = desk.tpp.get(f"{path}/authorisations").json["authorisationIds"]  # type: ignore[index]
    assert answer.status_code == 201
    assert body["consentStatus"] == "received"
    assert body["_links"] == {
        "scaOAuth": {"href": DISCOVERY},
        "self": {"href": path},
        "status": {"href": f"{path}/status"},
        "scaStatus": {"href": f"{path}/authorisations/{authorisation}"},
    }
    assert answer.headers["Location"] == path
    assert answer.headers["ASPSP-SCA-Approach"] == "REDIRECT"
    assert answer.headers["X-Request-ID"] == "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"


def test_a_tpp_may_start_the_authorisation_itself(desk: BankDesk) -> None:
    """Explicit start: the link to do so, then the sub-resource (BG IG §4.6, §7.1)."""
    body: Any = desk.tpp.post(CONSENTS, consent_body(), TPP_Explicit_Authorisation_Preferred="true").json
    path = f"{CONSENTS}/{body['consentId']}"
    assert body["_links"]["startAuthorisation"] == {"href": f"{path}/authorisations"}
    assert "scaOAuth" not in body["_links"]

    started = desk.tpp.post(f"{path}/authorisations", {})

    authorisation: Any = started.json
    assert started.status_code == 201
    assert authorisation["scaStatus"] == "received"
    assert authorisation["_links"]["scaOAuth"] == {"href": DISCOVERY}
    assert started.headers["Location"] == f"{path}/authorisations/{authorisation['authorisationId']}"
    assert desk.tpp.get(started.headers["Location"]).json == {"scaStatus": "received"}


def test_starting_again_fails_the_earlier_authorisation(desk: BankDesk) -> None:
    """At most one authorisation is open, so that a consent is never decided twice."""
    path = f"{CONSENTS}/{desk.consent()}"
    desk.bank.clock.advance(timedelta(seconds=1))
    desk.tpp.post(f"{path}/authorisations", {})

    first, second = desk.tpp.get(f"{path}/authorisations").json["authorisationIds"]  # type: ignore[index]

    assert desk.tpp.get(f"{path}/authorisations/{first}").json == {"scaStatus": "failed"}
    assert desk.tpp.get(f"{path}/authorisations/{second}").json == {"scaStatus": "received"}


def test_a_resource_is_not_started_for_ever(desk: BankDesk) -> None:
    """A limit on everything: the twenty-first start is refused."""
    path = f"{CONSENTS}/{desk.consent()}"
    for _ in range(19):
        assert desk.tpp.post(f"{path}/authorisations", {}).status_code == 201

    assert refusal(desk.tpp.post(f"{path}/authorisations", {})) == (409, "STATUS_INVALID", None)


def test_a_decided_consent_takes_no_further_authorisation(desk: BankDesk) -> None:
    """409 STATUS_INVALID (BG IG §14.11.1)."""
    consent = desk.approved_consent()

    assert refusal(desk.tpp.post(f"{CONSENTS}/{consent}/authorisations", {})) == (409, "STATUS_INVALID", None)


def test_psu_data_is_not_taken(desk: BankDesk) -> None:
    """By OAuth the PSU proves itself at the bank: a TPP never handles its password there."""
    path = f"{CONSENTS}/{desk.consent()}"
    (authorisation,) = desk.tpp.get(f"{path}/authorisations").json["authorisationIds"]  # type: ignore[index]

    answer = desk.tpp.call("PUT", f"{path}/authorisations/{authorisation}", {"psuData": {"password": "secret"}})

    assert refusal(answer) == (400, "SERVICE_INVALID", "psuData")


def test_an_approved_consent_shows_what_was_granted(desk: BankDesk) -> None:
    """Bank-offered: GET returns the PSU's choice (BG IG §6.3.1.2, §6.3.3)."""
    chosen = desk.iban(ANNA, 1)
    consent = desk.consent()

    desk.decide(desk.begin("ais", consent), accounts=[chosen])

    body: Any = desk.tpp.get(f"{CONSENTS}/{consent}").json
    assert body["consentStatus"] == "valid"
    assert body["access"] == {
        "balances": [{"iban": chosen, "currency": "EUR"}],
        "transactions": [{"iban": chosen, "currency": "EUR"}],
    }
    assert body["validUntil"] == "2027-05-17"
    assert body["lastActionDate"] == "2026-11-18"
    assert body["_links"] == {"account": {"href": "/v1/accounts"}}


def test_a_refused_consent_is_rejected(desk: BankDesk) -> None:
    """And its authorisation failed."""
    consent = desk.consent()

    desk.decide(desk.begin("ais", consent), result="REJECTED")

    (authorisation,) = desk.tpp.get(f"{CONSENTS}/{consent}/authorisations").json["authorisationIds"]  # type: ignore[index]
    assert status_of(desk, consent) == "rejected"
    assert desk.tpp.get(f"{CONSENTS}/{consent}/authorisations/{authorisation}").json == {"scaStatus": "failed"}


def test_a_deleted_consent_is_terminated_and_opens_nothing(desk: BankDesk) -> None:
    """204 with no body; twice is as good as once; the data is closed at once (BG IG §6.4)."""
    consent = desk.approved_consent()

    answers = [desk.tpp.delete(f"{CONSENTS}/{consent}") for _ in range(2)]

    assert [(answer.status_code, answer.data) for answer in answers] == [(204, b""), (204, b"")]
    assert status_of(desk, consent) == "terminatedByTpp"
    reading = desk.reader(consent).get("/v1/accounts", Consent_ID=consent)
    assert refusal(reading) == (401, "CONSENT_INVALID", None)


def test_what_has_ended_otherwise_is_not_deleted(desk: BankDesk) -> None:
    """A rejected consent stays rejected: its history is not rewritten."""
    consent = desk.consent()
    desk.decide(desk.begin("ais", consent), result="REJECTED")

    assert refusal(desk.tpp.delete(f"{CONSENTS}/{consent}")) == (409, "STATUS_INVALID", None)
    assert status_of(desk, consent) == "rejected"


def test_a_new_recurring_consent_ends_the_psus_earlier_one(desk: BankDesk) -> None:
    """As soon as it is authorised, and it shows as terminatedByTpp (BG IG §6.3.1.1, §4.14.2)."""
    earlier, of_another_psu = desk.approved_consent(), desk.approved_consent(psu=KARL)
    later = desk.consent()
    assert status_of(desk, earlier) == "valid"

    desk.decide(desk.begin("ais", later))

    assert [status_of(desk, each) for each in (earlier, later, of_another_psu)] == ["terminatedByTpp", "valid", "valid"]


def test_a_one_off_consent_ends_none(desk: BankDesk) -> None:
    """No side effects where recurringIndicator is false (BG IG §6.3.1.1)."""
    earlier = desk.approved_consent()

    desk.approved_consent(recurringIndicator=False, frequencyPerDay=1)

    assert status_of(desk, earlier) == "valid"


def test_another_tpps_consent_is_as_unknown_as_none(desk: BankDesk) -> None:
    """Every address answers the same for another TPP's id and for one never made: nothing tells that it exists."""
    consent, never_made = desk.approved_consent(), "11111111-2222-4333-8444-555555555555"
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)
    for method, path in [
        ("GET", ""),
        ("GET", "/status"),
        ("DELETE", ""),
        ("GET", "/authorisations"),
        ("POST", "/authorisations"),
        ("GET", "/authorisations/x"),
    ]:
        answers = [stranger.call(method, f"{CONSENTS}/{each}{path}", {}) for each in (consent, never_made)]

        assert [refusal(answer) for answer in answers] == [(403, "CONSENT_UNKNOWN", None)] * 2, (method, path)
        texts = {answer.text.replace(consent, "ID").replace(never_made, "ID") for answer in answers}
        assert len(texts) == 1, (method, path)
    assert status_of(desk, consent) == "valid"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"PSU-IP-Address": ""}, (400, "FORMAT_ERROR", "PSU-IP-Address")),
        ({"X-Request-ID": ""}, (400, "FORMAT_ERROR", "X-Request-ID")),
        ({"TPP-Explicit-Authorisation-Preferred": "yes"}, (400, "FORMAT_ERROR", "TPP-Explicit-Authorisation-Preferred")),
        ({"X-Sandbox-Roles": "PSP_PI"}, (401, "ROLE_INVALID", None)),
        ({"Content-Type": "text/plain"}, (415, "FORMAT_ERROR", None)),
    ],
)
def test_a_faulty_header_is_named(desk: BankDesk, headers: dict[str, str], expected: tuple[int, str, str | None]) -> None:
    """Nothing is made of a request whose headers are wrong."""
    assert refusal(desk.tpp.post(CONSENTS, consent_body(), **headers)) == expected


def test_an_unapproved_consent_is_rejected_after_a_day(desk: BankDesk) -> None:
    """And then takes no decision any more."""
    consent = desk.consent()

    desk.bank.clock.advance(timedelta(hours=25))

    assert status_of(desk, consent) == "rejected"
