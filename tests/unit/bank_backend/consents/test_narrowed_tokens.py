"""A token that its client wanted for less than the consent opens no more than that (RFC 9396 §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.bank_core import ANNA

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk, Tpp


def reader(desk: BankDesk, *kinds: str) -> tuple[Tpp, str, str]:
    """Return a TPP with a token narrowed to these kinds, the consent, and the address of an account."""
    consent = desk.approved_consent(access={"accounts": [], "balances": [], "transactions": []})
    tpp = desk.reader(consent)
    tpp.scope = " ".join([tpp.scope, *(f"AIS.{kind}" for kind in kinds)])
    return tpp, consent, f"/v1/accounts/{desk.bank.account(ANNA).id}"


@pytest.mark.parametrize(
    ("kinds", "opened"),
    [
        ((), {"balances", "transactions"}),
        (("accounts",), set()),
        (("accounts", "balances"), {"balances"}),
        (("accounts", "transactions"), {"transactions"}),
    ],
)
def test_what_a_narrowed_token_opens(desk: BankDesk, kinds: tuple[str, ...], opened: set[str]) -> None:
    """The list of accounts always; of the rest what it was narrowed to."""
    tpp, consent, account = reader(desk, *kinds)

    addresses = {
        "balances": f"{account}/balances",
        "transactions": f"{account}/transactions?bookingStatus=booked&dateFrom=2026-11-01",
    }
    answers = {kind: tpp.get(address, Consent_ID=consent) for kind, address in addresses.items()}

    assert tpp.get("/v1/accounts", Consent_ID=consent).status_code == 200
    assert {kind for kind, answer in answers.items() if answer.status_code == 200} == opened
    refused = [answer.json["tppMessages"][0]["text"] for answer in answers.values() if answer.status_code != 200]  # type: ignore[index]
    assert all("was narrowed to accounts" in text for text in refused)


def test_balances_do_not_come_along_with_accounts(desk: BankDesk) -> None:
    """`withBalance` tells none where the token is for accounts alone."""
    tpp, consent, account = reader(desk, "accounts")

    listed = tpp.get("/v1/accounts?withBalance=true", Consent_ID=consent)
    one = tpp.get(f"{account}?withBalance=true", Consent_ID=consent)

    assert "balances" not in listed.text.replace('/balances"', "")
    assert "balances" not in one.text.replace('/balances"', "")
