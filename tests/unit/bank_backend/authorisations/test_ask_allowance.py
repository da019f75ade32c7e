"""A PSU's bank app is not flooded: how often a TPP may have it asked, and what it is told then (MFA fatigue)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.authorisations import allowance
from bank_backend.sca.model import PUSH_LIFETIME
from tests.support.bank_core import ANNA, JONAS, NOW, OTHER_TENANT
from tests.support.bank_sca import CONSENTS, Tpp, consent_body, refusal
from tests.unit.bank_backend.bankapp.app import APP, decoupled_consent, signed_in, waiting

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.bank_sca import BankDesk

DECOUPLED = {"TPP-Decoupled-Preferred": "true"}
ASKS = 10


def ask(desk: BankDesk, tpp: Tpp | None = None, *, psu: str = ANNA, **headers: str) -> TestResponse:
    return (tpp or desk.tpp).post(CONSENTS, consent_body(), **DECOUPLED, PSU_ID=psu, **headers)


def exhaust(desk: BankDesk) -> list[str]:
    """Have Anna asked as often as may be; returns the consents."""
    return [decoupled_consent(desk) for _ in range(ASKS)]


def test_who_has_not_said_yes_is_not_asked_again_and_again(desk: BankDesk) -> None:
    """The eleventh ask is refused with what to do, and the app shows ten."""
    exhaust(desk)

    answer = ask(desk)

    assert refusal(answer) == (403, "SERVICE_BLOCKED", "PSU-ID")
    text = answer.json["tppMessages"][0]["text"]  # type: ignore[index]
    assert f"have it approve what waits there, or ask again after {NOW + PUSH_LIFETIME:%H:%M:%S} UTC" in text
    assert answer.json["reason"] == "authorisation.asked_too_often"  # type: ignore[index]
    assert len(waiting(signed_in(desk).get(APP))) == ASKS


def test_it_is_asked_again_after_a_while(desk: BankDesk) -> None:
    """The same request, sent again, then makes what it asked for."""
    exhaust(desk)
    request_id = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
    assert ask(desk, X_Request_ID=request_id).status_code == 403
    desk.bank.clock.advance(timedelta(minutes=14))
    assert ask(desk, X_Request_ID=request_id).status_code == 403
    desk.bank.clock.advance(timedelta(minutes=2))

    assert ask(desk, X_Request_ID=request_id).status_code == 201


def test_a_yes_gives_an_ask_back_and_a_no_does_not(desk: BankDesk) -> None:
    """Whoever's requests are approved is not counted."""
    exhaust(desk)
    app = signed_in(desk)
    (refused, _), (approved, seal), *_ = waiting(app.get(APP))
    app.post(f"{APP}/requests/{refused}/reject")
    assert ask(desk).status_code == 403

    app.post(f"{APP}/requests/{approved}/approve", seal=seal, account=desk.iban())

    assert ask(desk).status_code == 201
    assert ask(desk).status_code == 403


def test_withdrawing_does_not_help_to_ask_more(desk: BankDesk) -> None:
    """Asks that their TPP has taken back were pushed all the same."""
    for consent in exhaust(desk):
        desk.tpp.delete(f"{CONSENTS}/{consent}")

    assert ask(desk).status_code == 403


def test_nobody_else_is_held_up(desk: BankDesk) -> None:
    """Neither another PSU of the TPP's, nor the PSU of that login for another TPP, nor the other approaches."""
    exhaust(desk)

    assert ask(desk, psu=JONAS).status_code == 201
    assert ask(desk, Tpp(desk.app.test_client(), tenant=OTHER_TENANT)).status_code == 201
    assert desk.tpp.post(CONSENTS, consent_body()).headers["ASPSP-SCA-Approach"] == "REDIRECT"


@pytest.mark.parametrize("is_named", [True, False])
def test_a_psu_that_is_named_later_is_not_flooded_either(desk: BankDesk, is_named: bool) -> None:  # noqa: FBT001 - a parameter
    """Authorisations that are started first and given their PSU afterwards, all at once, are asks like any other."""
    exhaust(desk)
    consent: Any = desk.tpp.post(CONSENTS, consent_body(), TPP_Redirect_Preferred="false", **DECOUPLED).json
    start = f"{CONSENTS}/{consent['consentId']}/authorisations"
    if is_named:
        assert refusal(desk.tpp.post(start, PSU_ID=ANNA)) == (403, "SERVICE_BLOCKED", "PSU-ID")
        return
    started: Any = desk.tpp.post(start, TPP_Redirect_Preferred="false", **DECOUPLED).json
    path = f"{start}/{started['authorisationId']}"

    assert refusal(desk.tpp.call("PUT", path, PSU_ID=ANNA)) == (403, "SERVICE_BLOCKED", "PSU-ID")

    assert desk.tpp.get(path).json["scaStatus"] == "received"  # type: ignore[index]


def test_no_more_waits_than_the_app_shows(desk: BankDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly they came: what the page does not show nobody can answer."""
    monkeypatch.setattr(allowance, "MOST_WAITING", 3)
    for _ in range(3):
        decoupled_consent(desk)
        desk.bank.clock.advance(timedelta(hours=1))

    answer = ask(desk)

    assert refusal(answer) == (403, "SERVICE_BLOCKED", "PSU-ID")
    assert "3 requests wait for this PSU" in answer.text
