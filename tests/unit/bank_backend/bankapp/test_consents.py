"""Whom a PSU has let see its accounts, and ending it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, update

from bank_backend.consents.listing import merged
from bank_backend.consents.store import consents
from bank_backend.funds.store import funds_consents
from psd2.ids import new_uuid
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT
from tests.support.bank_sca import CONSENTS, FUNDS
from tests.unit.bank_backend.bankapp.app import APP, signed_in, words

if TYPE_CHECKING:
    from bank_backend.consents.listing import ConsentPlace
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


def funds_consent(desk: BankDesk) -> str:
    consent = desk.funds_consent()
    assert desk.decide(desk.begin("piis", consent)).status_code == 200
    return consent


def test_a_consent_to_ask_about_funds_is_ended_by_its_psu(desk: BankDesk) -> None:
    """It stands among the others, and says that it lets see a yes or a no; once ended, nothing is answered any more."""
    consent = funds_consent(desk)
    app = signed_in(desk)
    shown = words(app.get(f"{APP}/consents"))
    assert f"Fintech Example : in force Whether {desk.bank.account(ANNA).readable} has the money" in shown

    assert app.post(f"{APP}/consents/funds/{consent}/revoke").headers["Location"] == f"{APP}/consents"

    shown = words(app.get(f"{APP}/consents"))
    assert "learns nothing of your funds any more" in shown
    assert "ended by you" in shown
    assert desk.tpp.get(f"{FUNDS}/{consent}/status").json == {"consentStatus": "revokedByPsu"}
    question = {"account": {"iban": desk.iban()}, "instructedAmount": {"currency": "EUR", "amount": "1.00"}}
    assert desk.tpp.post("/v1/funds-confirmations", question, Consent_ID=consent).status_code == 401


@pytest.mark.parametrize("kind", ["", "funds/"])
def test_nobody_else_sees_or_ends_it(desk: BankDesk, kind: str) -> None:
    """Neither another PSU nor the same login at another TPP's bank."""
    if kind:
        consent, path = funds_consent(desk), FUNDS
    else:
        consent, path = desk.approved_consent(access={"balances": [{"iban": desk.iban()}]}), CONSENTS

    for stranger in (signed_in(desk, JONAS), signed_in(desk, ANNA, tenant=OTHER_TENANT)):
        assert "you have given no consent" in words(stranger.get(f"{APP}/consents"))
        assert stranger.post(f"{APP}/consents/{kind}{consent}/revoke").status_code == 422

    assert desk.tpp.get(f"{path}/{consent}/status").json == {"consentStatus": "valid"}


def test_what_has_ended_otherwise_can_not_be_ended(desk: BankDesk) -> None:
    """The page says why, and offers no button."""
    consent = desk.approved_consent(access={"balances": [{"iban": desk.iban()}]})
    desk.tpp.delete(f"{CONSENTS}/{consent}")
    app = signed_in(desk)

    assert "End it" not in words(app.get(f"{APP}/consents"))
    assert app.post(f"{APP}/consents/{consent}/revoke").status_code == 422


def given(desk: BankDesk, *, open_ones: int, ended: int) -> list[str]:
    """Have Anna's consents be so many; returns their ids in the list's order."""
    first = desk.approved_consent()
    with desk.bank.database.writing() as connection:
        row = connection.execute(select(consents).where(consents.c.id == first)).mappings().one()
        # Ended ones are newer, and some came in the same moment.
        made = [{**row, "id": new_uuid(), "received_at": row["received_at"] - place // 3} for place in range(1, open_ones)]
        over = [
            {**row, "id": new_uuid(), "status": "expired", "received_at": row["received_at"] + 60.25 - place // 2}
            for place in range(ended)
        ]
        connection.execute(insert(consents), [*made, *over])
    ordered = [sorted(part, key=lambda one: (-one["received_at"], one["id"])) for part in ([dict(row), *made], over)]
    return [str(one["id"]) for part in ordered for one in part]


def ended_funds_consent(desk: BankDesk) -> str:
    """Have one that is older than all the others, and has ended; returns its id."""
    consent = funds_consent(desk)
    desk.tpp.delete(f"{FUNDS}/{consent}")
    with desk.bank.database.writing() as connection:
        connection.execute(update(funds_consents).values(received_at=funds_consents.c.received_at - 3600))
    return consent


def test_all_consents_are_shown_page_by_page(desk: BankDesk) -> None:
    """Each once, those that can be ended first, however many newer ones have ended, of whichever kind."""
    wanted = given(desk, open_ones=53, ended=69)
    wanted.append(ended_funds_consent(desk))
    app, shown, after = signed_in(desk), [], [""]

    while after:
        page = app.get(f"{APP}/consents" + (after[0] and f"?after={after[0]}")).text
        shown.append((len(re.findall("<li>", page.partition('id="consents"')[2])), page.count("/revoke")))
        after = re.findall('after=([^"]+)', page)

    assert shown == [(50, 50), (50, 3), (23, 0)]
    told: list[str] = []
    place: ConsentPlace | None = None
    services = desk.bank.services
    for _ in shown:
        seeing = services.consents.consents_of(TENANT, ANNA, after=place)
        given_page = merged(seeing, services.funds_consents.consents_of(TENANT, ANNA, after=place))
        told.extend(one.id for one in given_page.consents)
        place = given_page.next
    assert told == wanted


@pytest.mark.parametrize("after", ["", "open", "open~1~x", "open~1.0~00000000-0000-0000-0000-00000000000g", "ended~-1.0~0"])
def test_a_page_that_no_page_led_to(desk: BankDesk, after: str) -> None:
    """Is said to be none, in words for people."""
    answer = signed_in(desk).get(f"{APP}/consents?after={after}")

    assert answer.status_code == 404
    assert "There is no such page of your consents" in words(answer)
