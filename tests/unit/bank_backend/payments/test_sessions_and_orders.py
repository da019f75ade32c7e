"""Payments beside account information: in a consent's session, and as standing orders in a statement (BG IG §6.5.4, §9)."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest

from tests.support.bank_core import JONAS
from tests.support.bank_payments import CROSS_BORDER, INSTANT, SEPA, SINGLE, Till
from tests.support.bank_sca import Tpp, payment_body, refusal

NOBODY = str(uuid.UUID(int=7))


def session(till: Till, **changes: Any) -> str:
    return till.desk.approved_consent(**({"combinedServiceIndicator": True} | changes))


def test_a_payment_joins_the_session_of_a_consent(till: Till) -> None:
    """The PSU is known from it."""
    consent = session(till)

    answer = till.post(SINGLE, SEPA, payment_body(till.iban), Consent_ID=consent)

    assert answer.status_code == 201


def test_another_psu_can_not_be_named_beside_it(till: Till) -> None:
    """The session has one."""
    answer = till.post(SINGLE, SEPA, payment_body(till.iban), Consent_ID=session(till), PSU_ID=JONAS)

    assert refusal(answer) == (400, "FORMAT_ERROR", "PSU-ID")


def test_a_consent_without_sessions_can_not_be_joined(till: Till) -> None:
    """401 CONSENT_INVALID; one that this TPP does not have is unknown."""
    plain = session(till, combinedServiceIndicator=False)
    body = payment_body(till.iban)

    assert refusal(till.post(SINGLE, SEPA, body, Consent_ID=plain))[:2] == (401, "CONSENT_INVALID")
    assert refusal(till.post(SINGLE, SEPA, body, Consent_ID=NOBODY))[:2] == (400, "CONSENT_UNKNOWN")


def orders(till: Till) -> list[dict[str, Any]]:
    """Return the standing orders that the account's statement tells of."""
    consent = till.desk.approved_consent()
    tpp: Tpp = till.desk.reader(consent)
    accounts: Any = tpp.get("/v1/accounts", Consent_ID=consent).json
    (account,) = (each for each in accounts["accounts"] if each.get("iban") == till.iban)
    path = f"/v1/accounts/{account['resourceId']}/transactions?bookingStatus=information"
    report: Any = tpp.get(path, Consent_ID=consent)
    assert report.status_code == 200, report.text
    return list(report.json["transactions"]["information"])


@pytest.mark.parametrize("product", [SEPA, INSTANT, CROSS_BORDER])
def test_an_approved_order_stands_in_the_statement(till: Till, product: str) -> None:
    """From its approval on, with its calendar; before that and after its end there is none."""
    path = till.periodic(product=product, endDate="2026-12-18")
    assert orders(till) == []
    till.approve(path)

    (told,) = orders(till)

    details = told["additionalInformationStructured"]["standingOrderDetails"]
    assert (details["startDate"], details["endDate"], details["frequency"]) == ("2026-11-18", "2026-12-18", "Monthly")
    till.pass_until(date(2026, 12, 20))
    assert orders(till) == []


def test_an_order_to_an_account_without_iban_names_its_bban(till: Till) -> None:
    """As it was instructed."""
    there = {"creditorAccount": {"bban": "021000021"}, "creditorAgent": "CHASUS33", "creditorAddress": {"country": "US"}}
    till.approve(till.periodic(product=CROSS_BORDER, **there))

    assert orders(till)[0]["creditorAccount"] == {"bban": "021000021"}
