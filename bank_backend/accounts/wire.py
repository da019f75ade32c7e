"""Accounts, card accounts and their balances as JSON (BG IG 1.3.8 §14.18 to §14.22)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bank_backend.accounts.collections import NO_CURRENCY
from bank_backend.accounts.invoices import CardBalances
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from bank_backend.accounts.information import AccountView
    from bank_backend.accounts.model import Account
    from bank_backend.ledger.model import Balances

_MOST_LINKED: Final = 70
EVERY_BALANCE: Final = ("interimAvailable", "interimBooked", "expected", "closingBooked")


def account_json(view: AccountView, kinds: Sequence[str] = EVERY_BALANCE) -> dict[str, object]:
    """Return `accountDetails`; links lead only where the consent does. `kinds` are the balance types to tell."""
    account = view.account
    body: dict[str, object] = {
        "resourceId": account.id,
        "iban": account.iban,
        "currency": account.currency,
        "name": account.name,
        "product": account.product,
        "cashAccountType": account.cash_account_type,
        "status": account.status.value,
        "bic": account.bic,
        "usage": account.usage.value,
    }
    linked = ", ".join(one.masked_pan for one in view.linked)[:_MOST_LINKED]
    body |= {"linkedAccounts": linked} if linked else {}
    return body | _said_and_granted(view, kinds)


def card_account_json(view: AccountView, kinds: Sequence[str] = EVERY_BALANCE) -> dict[str, object]:
    """Return `cardAccountDetails`; amounts are signed as the book has them, negative while something is owed."""
    account = view.account
    body: dict[str, object] = {
        "resourceId": account.id,
        "maskedPan": account.masked_pan,
        "currency": account.currency,
        "name": account.name,
        "product": account.product,
        "debitAccounting": False,
        "status": account.status.value,
        "usage": account.usage.value,
        "creditLimit": minor_json(account.overdraft_minor, account.currency),
    }
    return body | _said_and_granted(view, kinds)


def _said_and_granted(view: AccountView, kinds: Sequence[str]) -> dict[str, object]:
    account, rights = view.account, view.rights
    body: dict[str, object] = {}
    if account.display_name:
        body["displayName"] = account.display_name
    if account.details:
        body["details"] = account.details
    if rights.owner_name:
        body["ownerName"] = account.owner_name
    if view.balances is not None:
        body["balances"] = balances_json(view.balances, kinds)
    links: dict[str, object] = {}
    if rights.balances:
        links["balances"] = {"href": f"{path_of(account)}/balances"}
    if rights.transactions:
        links["transactions"] = {"href": f"{path_of(account)}/transactions"}
    return body | {"_links": links} if links else body


def account_reference_json(account: Account) -> dict[str, str]:
    """Return `accountReference`; a collection is named by its IBAN alone (BG IG §4.5)."""
    if account.is_card:
        return {"maskedPan": account.masked_pan, "currency": account.currency}
    if account.currency == NO_CURRENCY:
        return {"iban": account.iban}
    return {"iban": account.iban, "currency": account.currency}


def balances_json(balances: Iterable[Balances | CardBalances], kinds: Sequence[str] = EVERY_BALANCE) -> list[dict[str, object]]:
    """Return `balanceList` of one account or of all members of a collection."""
    told: list[dict[str, object]] = []
    for one in balances:
        told += _of_card(one, kinds) if isinstance(one, CardBalances) else _of_account(one, kinds)
    return told


def _of_account(balances: Balances, kinds: Sequence[str]) -> list[dict[str, object]]:
    """Return the balances in the bank's order; a credit line is in none that doesn't say so (§14.21)."""
    today, yesterday = balances.today, balances.today - timedelta(days=1)
    parts: list[dict[str, object]] = []
    for kind in kinds:
        amount = getattr(balances, _FIELDS[kind])
        if kind in _WITH_CREDIT:
            day = balances.forward_date if kind == "forwardAvailable" else today
            parts.append(_balance_json(kind, amount - balances.credit_limit, day))
            if balances.credit_limit.minor:
                parts.append(_balance_json(kind, amount, day) | {"creditLimitIncluded": True})
        else:
            parts.append(_balance_json(kind, amount, yesterday if kind == "closingBooked" else today))
    return parts


# What can be spent holds the credit line in the ledger.
_WITH_CREDIT: Final = frozenset({"interimAvailable", "forwardAvailable"})
_FIELDS: Final = {
    "interimAvailable": "interim_available",
    "interimBooked": "interim_booked",
    "expected": "expected",
    "closingBooked": "closing_booked",
    "openingBooked": "opening_booked",
    "forwardAvailable": "forward_available",
}


def _of_card(balances: CardBalances, kinds: Sequence[str]) -> list[dict[str, object]]:
    """Return a card account's: `closingBooked` is what is invoiced and unpaid, `nonInvoiced` what no invoice holds yet."""
    book, day = balances.book, balances.book.today
    parts = [_balance_json("interimBooked", book.interim_booked, day)] if "interimBooked" in kinds else []
    if "interimAvailable" in kinds:
        parts.append(_balance_json("interimAvailable", book.interim_available, day) | {"creditLimitIncluded": True})
    if "expected" in kinds:
        parts.append(_balance_json("expected", book.expected, day))
    if "closingBooked" in kinds:
        parts.append(_balance_json("closingBooked", balances.invoiced, balances.invoiced_on))
    return [*parts, _balance_json("nonInvoiced", balances.not_invoiced, day)]


def _balance_json(kind: str, amount: Money, day: date) -> dict[str, Any]:
    return {"balanceAmount": amount_json(amount), "balanceType": kind, "referenceDate": day}


def amount_json(amount: Money) -> dict[str, str]:
    """Return `amount`."""
    return {"currency": amount.currency, "amount": amount.decimal}


def minor_json(minor: int, currency: str) -> dict[str, str]:
    """Return `amount` of minor units."""
    return amount_json(Money(minor, currency))


def path_of(account: Account) -> str:
    """Return the address of an account."""
    return f"/v1/card-accounts/{account.id}" if account.is_card else f"/v1/accounts/{account.id}"
