"""The books of a tenant as its owner sees them in the portal (docs/architecture.md §3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bank_core import ANNA, OTHER_TENANT, TENANT

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk

ACCOUNTS = f"/internal/tenants/{TENANT}/accounts"


def as_portal(desk: BankDesk, path: str) -> Any:
    """Ask as the portal; the answer must be a yes."""
    answer = desk.internal("GET", path, caller="portal")
    assert answer.status_code == 200, answer.text
    return answer.json


def book_of(desk: BankDesk, tenant: str = TENANT) -> str:
    """Return the address of the book of Anna's first account."""
    return f"/internal/tenants/{tenant}/accounts/{desk.bank.account(ANNA).id}/transactions"


def test_each_account_stands_there_once(desk: BankDesk) -> None:
    """A joint account has two holders and one balance."""
    listed = [account["id"] for account in as_portal(desk, ACCOUNTS)["accounts"]]

    held = [account["id"] for one in as_portal(desk, f"/internal/tenants/{TENANT}")["personas"] for account in one["accounts"]]
    assert len(set(held)) < len(held), "the seed holds a joint account"
    assert sorted(listed) == sorted(set(held))


def test_balances_are_those_of_the_ledger(desk: BankDesk) -> None:
    """As Berlin Group writes them, so that the page shows what a call will answer."""
    account = desk.bank.account(ANNA)

    shown = next(one for one in as_portal(desk, ACCOUNTS)["accounts"] if one["id"] == account.id)

    amounts = {balance["balanceType"]: balance["balanceAmount"] for balance in shown["balances"]}
    booked = desk.bank.balances(account).interim_booked
    assert amounts["interimBooked"] == {"currency": "EUR", "amount": booked.decimal}
    assert (shown["iban"], shown["currency"]) == (account.iban, account.currency)


def test_a_book_is_read_page_by_page_to_its_first_movement(desk: BankDesk) -> None:
    """Newest first, nothing twice, nothing left out: the balance after each movement says so."""
    booked, page = [], ""
    while page is not None:
        part = as_portal(desk, f"{book_of(desk)}{page and '?page=' + page}")
        booked += part["booked"]
        page = part["next"]

    numbers = [int(entry["entryReference"]) for entry in booked]
    assert len(numbers) > 100
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert booked[0]["balanceAfterTransaction"]["balanceAmount"] == _booked_balance(part["account"])


def _booked_balance(account: dict[str, Any]) -> Any:
    return next(one["balanceAmount"] for one in account["balances"] if one["balanceType"] == "interimBooked")


def test_another_tenants_account_is_unknown(desk: BankDesk) -> None:
    """Its id opens nothing, whoever's number is written before it."""
    answer = desk.internal("GET", book_of(desk, OTHER_TENANT), caller="portal")

    assert answer.status_code == 404
    assert answer.json["code"] == "resource.unknown"  # type: ignore[index]


@pytest.mark.parametrize("path", ["/accounts", "/accounts/x/transactions"])
def test_a_tenant_that_never_was_is_unknown(desk: BankDesk, path: str) -> None:
    """As everywhere."""
    answer = desk.internal("GET", f"/internal/tenants/PSDXX-NONE-1{path}", caller="portal")

    assert answer.status_code == 404
    assert answer.json["code"] == "tenant.unknown"  # type: ignore[index]


@pytest.mark.parametrize(("page", "status"), [("tomorrow", 400), ("2026-11-01.999999", 422)])
def test_a_page_that_no_page_led_to(desk: BankDesk, page: str, status: int) -> None:
    """Refused, and the parameter named."""
    answer = desk.internal("GET", f"{book_of(desk)}?page={page}", caller="portal")

    assert (answer.status_code, answer.json["path"]) == (status, "page")  # type: ignore[index]


@pytest.mark.parametrize("path", ["/accounts", "/accounts/x/transactions"])
def test_only_the_portal_reads_without_a_consent(desk: BankDesk, path: str) -> None:
    """A TPP that reached it through the gateway would read what no PSU has granted."""
    assert desk.internal("GET", f"/internal/tenants/{TENANT}{path}", caller="gateway").status_code == 403
