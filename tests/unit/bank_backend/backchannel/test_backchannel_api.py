"""PSUs asked in their bank app at the word of the authorization server (OpenID CIBA Core 1.0)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.support.bank_core import NOW, OTHER_TENANT, TENANT
from tests.support.bank_sca import CONSENTS, BankDesk, consent_body

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

BASE = "/internal/backchannel"
ANNA = "anna.weber"


def consent(desk: BankDesk) -> str:
    iban = desk.iban()
    body = consent_body(access={"accounts": [{"iban": iban}], "balances": [{"iban": iban}]})
    return str(desk.internal("POST", "/internal/grants", {"tenant": TENANT, "kind": "ais", "request": body}).json["resource"])  # type: ignore[index]


def ask(desk: BankDesk, resource: str, **changes: Any) -> TestResponse:
    body = {"tenant": TENANT, "kind": "ais", "resource": resource, "psu": ANNA, "seconds": 300, "binding_message": "W4SCT"}
    return desk.internal("POST", BASE, body | changes)


def asked(desk: BankDesk, authorisation: str, tenant: str = TENANT) -> TestResponse:
    return desk.internal("GET", f"{BASE}/{authorisation}?tenant={tenant}")


def status(desk: BankDesk, authorisation: str) -> str:
    return str(asked(desk, authorisation).json["status"])  # type: ignore[index]


def decide(desk: BankDesk, resource: str, authorisation: str, result: str) -> None:
    """Decide as the sandbox's headless endpoint does."""
    address = f"https://localhost:8443/v1/consents/{resource}/authorisations/{authorisation}"
    body = {"tenant": TENANT, "address": address, "psu": ANNA, "result": result}
    assert desk.internal("POST", "/internal/interactions/decisions", body).status_code == 200


def test_a_psu_is_asked_and_approves(desk: BankDesk) -> None:
    """What it approves is the consent itself."""
    resource = consent(desk)
    begun = ask(desk, resource)

    assert begun.status_code == 201, begun.text
    body: Any = begun.json
    assert (body["status"], body["psu"], body["kind"], body["resource"]) == ("pending", ANNA, "ais", resource)
    decide(desk, resource, body["authorisation"], "APPROVED")
    assert status(desk, body["authorisation"]) == "approved"
    assert desk.tpp.get(f"{CONSENTS}/{resource}/status").json["consentStatus"] == "valid"  # type: ignore[index]


def test_a_psu_refuses(desk: BankDesk) -> None:
    """And the consent is turned down."""
    resource = consent(desk)
    authorisation = ask(desk, resource).json["authorisation"]  # type: ignore[index]
    decide(desk, resource, authorisation, "REJECTED")

    assert status(desk, authorisation) == "rejected"
    assert desk.tpp.get(f"{CONSENTS}/{resource}/status").json["consentStatus"] == "rejected"  # type: ignore[index]


def test_nobody_waits_for_ever(desk: BankDesk) -> None:
    """As long as the authorization server said, and no longer."""
    authorisation = ask(desk, consent(desk), seconds=60).json["authorisation"]  # type: ignore[index]
    desk.bank.clock.advance(timedelta(seconds=61))

    assert status(desk, authorisation) == "expired"


def test_the_app_shows_the_words_that_the_tpp_shows(desk: BankDesk) -> None:
    """CIBA §7.1: so that the PSU sees that both mean the same."""
    ask(desk, consent(desk))
    psu = desk.bank.services.psus.psu(TENANT, ANNA)
    assert psu is not None
    (request,) = desk.bank.services.bank_app.requests.waiting(psu)

    assert request.wording.lines[0].text == "W4SCT"


def test_the_app_says_how_long_the_tpp_waits(desk: BankDesk) -> None:
    """And not for how long a push would lie on the telephone."""
    ask(desk, consent(desk), seconds=60)
    psu = desk.bank.services.psus.psu(TENANT, ANNA)
    assert psu is not None
    (request,) = desk.bank.services.bank_app.requests.waiting(psu)

    assert request.push is not None
    assert request.expires_at == NOW + timedelta(seconds=60) < request.push.expires_at


def test_who_and_what_is_unknown_is_not_asked(desk: BankDesk) -> None:
    """By the field that is wrong; another tenant's are as unknown as none."""
    resource = consent(desk)
    assert (ask(desk, resource, psu="nobody").status_code, ask(desk, resource, psu="nobody").json["code"]) == (
        404,
        "psu.unknown",
    )  # type: ignore[index]
    assert ask(desk, "11111111-1111-4111-8111-111111111111").json["code"] == "resource.unknown"  # type: ignore[index]
    authorisation = ask(desk, resource).json["authorisation"]  # type: ignore[index]
    assert asked(desk, authorisation, tenant=OTHER_TENANT).status_code == 404
    decide(desk, resource, authorisation, "APPROVED")
    assert ask(desk, resource).status_code == 409


def test_a_bank_without_the_decoupled_approach_asks_nobody(desk: BankDesk) -> None:
    """Its personality says how its PSUs authorise (BG IG §4.6)."""
    resource = consent(desk)
    desk.bank.services.personalities.choose(TENANT, "redirect-only")
    refused = ask(desk, resource)
    assert (refused.status_code, refused.json["code"]) == (404, "service.not_offered")  # type: ignore[index]
    assert "decoupled" in refused.json["detail"]  # type: ignore[index]
