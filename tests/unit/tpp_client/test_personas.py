"""Who is paid in a journey."""

from __future__ import annotations

import pytest

from psd2.ids import AccountId
from tpp_client.errors import TppClientError
from tpp_client.journeys.personas import payee_for
from tpp_client.sandbox_api import Persona, PersonaAccount


def persona(psu: str, *ibans: str, currency: str = "EUR") -> Persona:
    accounts = tuple(PersonaAccount(account_id=AccountId(iban), iban=iban, currency=currency) for iban in ibans)
    return Persona(psu=psu, name=psu, accounts=accounts, password="meadow")


def test_the_other_holder_of_a_joint_account_is_not_paid_from_it() -> None:
    """Money would go from the account to itself."""
    payer, partner, other = persona("karl", "DE01", "DE02"), persona("helga", "DE01"), persona("anna", "DE03")
    assert payee_for((payer, partner, other), payer) == other


@pytest.mark.parametrize("others", [(), (persona("helga", "DE01"),), (persona("lucia", "GB01", currency="GBP"),)])
def test_nobody_to_pay_is_said(others: tuple[Persona, ...]) -> None:
    payer = persona("karl", "DE01")
    with pytest.raises(TppClientError, match="nobody but karl has an account in EUR"):
        payee_for((payer, *others), payer)
