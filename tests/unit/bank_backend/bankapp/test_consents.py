"""Whom a PSU has let see its accounts, and ending it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT
from tests.support.bank_sca import CONSENTS
from tests.unit.bank_backend.bankapp.app import APP, signed_in, words

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


def test_a_consent_is_ended_by_its_psu(desk: BankDesk) -> None:
    """The TPP is told `revokedByPsu`, and reads nothing any more (BG IG §14.14)."""
    consent = desk.approved_consent(access={"balances": [{"iban": desk.iban()}]})
    app = signed_in(desk)
    shown = words(app.get(f"{APP}/consents"))
    assert "Fintech Example : in force" in shown
    assert desk.bank.account(ANNA).readable in shown

    assert app.post(f"{APP}/consents/{consent}/revoke").headers["Location"] == f"{APP}/consents"

    assert "ended by you" in words(app.get(f"{APP}/consents"))
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "revokedByPsu"}
    assert desk.reader(consent).get("/v1/accounts", Consent_ID=consent).status_code == 401


def test_nobody_else_sees_or_ends_it(desk: BankDesk) -> None:
    """Neither another PSU nor the same login at another TPP's bank."""
    consent = desk.approved_consent(access={"balances": [{"iban": desk.iban()}]})

    for stranger in (signed_in(desk, JONAS), signed_in(desk, ANNA, tenant=OTHER_TENANT)):
        assert "you have given no consent" in words(stranger.get(f"{APP}/consents"))
        assert stranger.post(f"{APP}/consents/{consent}/revoke").status_code == 422

    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "valid"}


def test_what_has_ended_otherwise_can_not_be_ended(desk: BankDesk) -> None:
    """The page says why, and offers no button."""
    consent = desk.approved_consent(access={"balances": [{"iban": desk.iban()}]})
    desk.tpp.delete(f"{CONSENTS}/{consent}")
    app = signed_in(desk)

    assert "End it" not in words(app.get(f"{APP}/consents"))
    assert app.post(f"{APP}/consents/{consent}/revoke").status_code == 422
