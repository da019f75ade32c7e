"""Money from another bank, as a TPP has it sent to its own customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.data import size
from bank_backend.data.size import TenantSize
from psd2.money import Money
from tests.support.bank_core import ANNA, OTHER_TENANT
from tests.support.bank_sca import ELSEWHERE, BankDesk

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

INCOMING = "/sandbox/v1/incoming-payments"


def send(desk: BankDesk, **changes: Any) -> TestResponse:
    body = {
        "creditorIban": desk.iban(),
        "instructedAmount": {"currency": "EUR", "amount": "2500.00"},
        "debtorName": "Arbeitgeber AG",
        "debtorIban": ELSEWHERE,
        "remittanceInformation": "Salary",
    }
    return desk.tpp.post(INCOMING, {name: value for name, value in (body | changes).items() if value is not None})


def test_somebody_pays_a_customer(desk: BankDesk) -> None:
    """The account has it at once, and the answer names its transaction."""
    account = desk.bank.account(ANNA)
    before = desk.bank.balances(account).interim_available

    answer = send(desk)

    assert answer.status_code == 201, answer.text
    told: Any = answer.json
    assert told["creditedAmount"] == {"currency": "EUR", "amount": "2500.00"}
    assert desk.bank.balances(account).interim_available == before + Money(2500_00, "EUR")


def test_money_stops_coming_where_a_tenant_is_full(desk: BankDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """All TPPs share one bank: what generating is bounded by bounds this too, and the refusal says what makes room."""
    monkeypatch.setattr(size, "MOST_KEPT", TenantSize(accounts=1_000, transactions=100))

    refused: Any = send(desk).json

    assert (refused["status"], refused["code"]) == (413, "data.size")
    assert "A reset" in refused["detail"]


def test_another_currency_arrives_as_the_accounts_own(desk: BankDesk) -> None:
    """Dollars on a euro account are euros."""
    told: Any = send(desk, instructedAmount={"currency": "USD", "amount": "100.00"}).json

    assert told["creditedAmount"]["currency"] == "EUR"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"creditorIban": ELSEWHERE}, "creditorIban"),
        ({"creditorIban": "DE00123"}, "creditorIban"),
        ({"instructedAmount": {"currency": "XAU", "amount": "1.00"}}, "instructedAmount"),
        ({"instructedAmount": {"currency": "EUR", "amount": "0.00"}}, "instructedAmount"),
        ({"debtorName": None}, "debtorName"),
    ],
    ids=["an account elsewhere", "no IBAN", "no rate", "nothing", "from nobody"],
)
def test_a_wrong_field_is_named(desk: BankDesk, changes: dict[str, Any], field: str) -> None:
    """422, and nothing is booked."""
    before = desk.bank.balances(desk.bank.account(ANNA))

    answer = send(desk, **changes)

    told: Any = answer.json
    assert (answer.status_code, told["path"]) == (422, field)
    assert desk.bank.balances(desk.bank.account(ANNA)) == before


def test_another_tenants_customer_is_with_another_bank(desk: BankDesk) -> None:
    """A TPP pays nobody but its own personas."""
    theirs = desk.bank.account(ANNA, tenant=OTHER_TENANT)

    assert send(desk, creditorIban=theirs.iban).status_code == 422
