"""What becomes of consents: several signatures, sessions, revocation, their end by the schedule (BG IG 1.3.8 §6, §9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import request

from bank_backend.authorisations.asks import Approval
from bank_backend.calls import tpp_call
from bank_backend.consents.approval import ConsentApproval
from bank_backend.errors import ConsentInvalid, HeaderConsentUnknown, ResourceUnknown, StatusInvalid, TokenInvalid
from psd2.ids import PsuId
from tests.support.bank_accounts import PAN, open_card
from tests.support.bank_core import ANNA, JONAS, KARL, OTHER_TENANT, TENANT
from tests.support.bank_sca import CONSENTS, FUNDS, BankDesk, Tpp, refusal

if TYPE_CHECKING:
    from typing import Any

    from bank_backend.calls import TppCall


def shown(desk: BankDesk, consent: str) -> Any:
    return desk.tpp.get(f"{CONSENTS}/{consent}").json


def listed(desk: BankDesk, consent: str, resource: str) -> Any:
    return desk.reader(consent).get(f"/v1/{resource}", Consent_ID=consent).json


@pytest.mark.parametrize("named", [{"pan": PAN}, {"maskedPan": "999941******3249"}])
def test_a_card_can_be_named_like_an_account(desk: BankDesk, named: dict[str, str]) -> None:
    """By its number, whole or masked; the consent then leads to card accounts alone (BG IG §6.3.3)."""
    card = open_card(desk.bank)

    consent = desk.approved_consent(access={"transactions": [named]})

    assert shown(desk, consent)["_links"] == {"cardAccount": {"href": "/v1/card-accounts"}}
    assert [one["resourceId"] for one in listed(desk, consent, "card-accounts")["cardAccounts"]] == [card.id]
    assert listed(desk, consent, "accounts") == {"accounts": []}


def test_all_accounts_are_cards_too_unless_types_are_named(desk: BankDesk) -> None:
    """`restrictedTo` narrows down what nobody names (XS2A 1.3.11)."""
    open_card(desk.bank)
    everything = desk.approved_consent(access={"allPsd2": "allAccounts"})
    assert len(listed(desk, everything, "card-accounts")["cardAccounts"]) == 1

    savings = desk.approved_consent(access={"allPsd2": "allAccounts", "restrictedTo": ["SVGS"]})

    assert [one["cashAccountType"] for one in listed(desk, savings, "accounts")["accounts"]] == ["SVGS"]
    assert listed(desk, savings, "card-accounts") == {"cardAccounts": []}


def test_the_schedule_looks_at_a_consent_when_it_turns_and_not_when_it_would_have(desk: BankDesk) -> None:
    """What waits for its PSU is turned down after a day; once that has approved it, it ends with its last day."""

    def looks(consent: str) -> list[timedelta]:
        with desk.bank.database.reading() as connection:
            upcoming = desk.bank.services.schedule.upcoming(connection, TENANT)
        return [task.due - desk.bank.clock.now() for task in upcoming if task.resource == consent]

    waiting, approved = desk.consent(), desk.approved_consent(validUntil="2026-12-01")

    assert looks(waiting) == [timedelta(hours=24)]
    (look,) = looks(approved)
    assert timedelta(days=13) < look <= timedelta(days=14)


def test_owner_names_are_told_of_the_accounts_that_are_named(desk: BankDesk) -> None:
    """An empty list means all of them, and the consent then says which (BG IG §14.17)."""
    named = {"iban": desk.iban()}

    consent = desk.approved_consent(access={"balances": [named], "additionalInformation": {"ownerName": []}})

    assert shown(desk, consent)["access"]["additionalInformation"] == {"ownerName": [named]}
    assert listed(desk, consent, "accounts")["accounts"][0]["ownerName"] == "Anna Weber"


def test_a_consent_waits_for_its_last_signature(desk: BankDesk) -> None:
    """partiallyAuthorised; the first signatory's choice is what the others sign, and the consent is the first one's."""
    consent = desk.consent()
    chosen = desk.bank.account(ANNA)
    store = desk.bank.services.consents._store
    approval = ConsentApproval(store, expiry=desk.bank.services.consents._expiry)
    first = Approval(
        tenant=TENANT, resource=consent, psu=ANNA, accounts=(chosen,), at=desk.bank.clock.now(), signatories=(ANNA,)
    )

    with desk.bank.database.writing() as connection:
        approval.partially_approve(connection, first)
    waiting = shown(desk, consent)
    with desk.bank.database.writing() as connection:
        approval.approve(connection, replace(first, signatories=(ANNA, JONAS)))

    assert waiting["consentStatus"] == "partiallyAuthorised"
    assert waiting["access"]["balances"] == [{"iban": chosen.iban, "currency": "EUR"}]
    assert shown(desk, consent)["consentStatus"] == "valid"
    assert desk.bank.services.consents.consents_of(TENANT, ANNA).consents[0].id == consent


def test_a_psu_revokes_what_it_has_given(desk: BankDesk) -> None:
    """At once; twice is as good as once; nobody else can (BG IG §14.14, revokedByPsu)."""
    consents, consent = desk.bank.services.consents, desk.approved_consent()

    for psu in (KARL, PsuId("nobody")):
        with pytest.raises(ResourceUnknown):
            consents.revoke_by_psu(TENANT, psu, consent)
    with pytest.raises(ResourceUnknown):
        consents.revoke_by_psu(OTHER_TENANT, ANNA, consent)
    for _ in range(2):
        consents.revoke_by_psu(TENANT, ANNA, consent)

    assert shown(desk, consent)["consentStatus"] == "revokedByPsu"
    answer = desk.reader(consent).get("/v1/accounts", Consent_ID=consent)
    assert refusal(answer) == (401, "CONSENT_INVALID", None)


@pytest.mark.parametrize("base", [CONSENTS, FUNDS])
def test_a_withdrawn_request_takes_its_authorisation_along(desk: BankDesk, base: str) -> None:
    """Nobody is left to authorise what has been deleted (BG IG §6.4); another TPP's deletion ends nothing."""
    consent = desk.consent() if base == CONSENTS else desk.funds_consent()
    (authorisation,) = desk.tpp.get(f"{base}/{consent}/authorisations").json["authorisationIds"]  # type: ignore[index]
    stranger = Tpp(desk.app.test_client(), tenant=OTHER_TENANT)

    assert stranger.delete(f"{base}/{consent}").status_code == 403
    assert desk.tpp.get(f"{base}/{consent}/authorisations/{authorisation}").json["scaStatus"] == "received"  # type: ignore[index]
    desk.tpp.delete(f"{base}/{consent}")

    assert desk.tpp.get(f"{base}/{consent}/authorisations/{authorisation}").json["scaStatus"] == "failed"  # type: ignore[index]


def test_what_has_ended_is_not_revoked(desk: BankDesk) -> None:
    """Its history stays."""
    consent = desk.approved_consent()
    desk.tpp.delete(f"{CONSENTS}/{consent}")

    with pytest.raises(StatusInvalid):
        desk.bank.services.consents.revoke_by_psu(TENANT, ANNA, consent)


def test_a_psu_sees_open_consents_first(desk: BankDesk) -> None:
    """And only its own."""
    ended, of_karl = desk.approved_consent(recurringIndicator=False, frequencyPerDay=1), desk.approved_consent(psu=KARL)
    standing = desk.approved_consent()
    desk.tpp.delete(f"{CONSENTS}/{ended}")

    mine = [one.id for one in desk.bank.services.consents.consents_of(TENANT, ANNA).consents]

    assert mine == [standing, ended]
    assert of_karl not in mine


def test_a_funds_consent_is_revoked_too(desk: BankDesk) -> None:
    """It has no end of its own: it stands until then (XS2A-COFC 2.0)."""
    consent = desk.funds_consent()
    desk.decide(desk.begin("piis", consent))
    funds = desk.bank.services.funds_consents
    with pytest.raises(ResourceUnknown):
        funds.revoke_by_psu(TENANT, KARL, consent)

    funds.revoke_by_psu(TENANT, ANNA, consent)

    assert [one.id for one in funds.consents_of(TENANT, ANNA).consents] == [consent]
    assert desk.tpp.get(f"{FUNDS}/{consent}/status").json == {"consentStatus": "revokedByPsu"}


@pytest.mark.parametrize(
    ("wait", "status"), [(timedelta(days=3), "valid"), (timedelta(days=8), "expired")], ids=["within", "after"]
)
def test_the_schedule_ends_consents(desk: BankDesk, wait: timedelta, status: str) -> None:
    """After `validUntil`, without anybody reading it; the row itself has changed."""
    consent = desk.approved_consent(validUntil="2026-11-24")
    desk.bank.clock.advance(wait)

    desk.bank.services.scheduler.run_due(TENANT)

    assert kept_status(desk, consent) == status


def test_the_schedule_turns_down_what_nobody_approves(desk: BankDesk) -> None:
    """A day after it came, consents and funds consents alike."""
    consent, funds = desk.consent(), desk.funds_consent()
    desk.bank.clock.advance(timedelta(hours=24))

    desk.bank.services.scheduler.run_due(TENANT)

    assert kept_status(desk, consent) == "rejected"
    assert desk.tpp.get(f"{FUNDS}/{funds}/status").json == {"consentStatus": "rejected"}


def kept_status(desk: BankDesk, consent: str) -> str:
    with desk.bank.database.reading() as connection:
        found = desk.bank.services.consents._store.find(connection, TENANT, consent)
    assert found is not None
    return found.status.value


def call_of(desk: BankDesk, **headers: str) -> TppCall:
    usual = {"X-Sandbox-Tpp": TENANT, "X-Request-ID": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"}
    with desk.app.test_request_context(headers=usual | {name.replace("_", "-"): value for name, value in headers.items()}):
        return tpp_call(request)


def session_of(desk: BankDesk, consent: str, **headers: str) -> PsuId:
    with desk.bank.database.reading() as connection:
        return desk.bank.services.consents.session_psu(connection, call_of(desk, **headers), consent)


def test_a_payment_may_join_a_session_that_was_asked_for(desk: BankDesk) -> None:
    """`combinedServiceIndicator`, a valid consent, and nobody else's token (BG IG §9)."""
    session = desk.approved_consent(combinedServiceIndicator=True, recurringIndicator=False, frequencyPerDay=1)
    plain = desk.approved_consent()

    assert session_of(desk, session) == session_of(desk, session, X_Sandbox_Subject=ANNA) == ANNA
    with pytest.raises(TokenInvalid):
        session_of(desk, session, X_Sandbox_Subject=KARL)
    with pytest.raises(ConsentInvalid, match="combinedServiceIndicator"):
        session_of(desk, plain)
    with pytest.raises(ConsentInvalid):
        session_of(desk, desk.consent(combinedServiceIndicator=True))
    with pytest.raises(HeaderConsentUnknown):
        session_of(desk, session, X_Sandbox_Tpp=OTHER_TENANT)
