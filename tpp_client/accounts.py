"""Account information: accounts, balances, transactions page by page (BG IG 1.3.8 §6.5-6.7, XS2A 1.3.11)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from psd2.ids import AccountId
from tpp_client.documents import Document, document_of
from tpp_client.errors import UnexpectedResponse
from tpp_client.refusals import require_status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from psd2.money import Money
    from tpp_client.wire import HttpResponse
    from tpp_client.xs2a import Access, Xs2a

MOST_PAGES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account the PSU has opened to us; `account_id` is the bank's handle, good under this consent."""

    account_id: AccountId
    iban: str
    currency: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One of an account's balances, such as `closingBooked` or `interimAvailable`."""

    kind: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A movement; `amount` is negative when money left the account, `balance_after` is told where the consent grants it."""

    transaction_id: str | None
    booking_date: str | None
    amount: Money
    counterparty: str | None
    remittance: str | None
    balance_after: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionPage:
    """One page of movements, and the link to the next where there is one."""

    booked: tuple[Transaction, ...]
    pending: tuple[Transaction, ...]
    next_link: str | None


def accounts_request(xs2a: Xs2a, access: Access) -> HttpResponse:
    """Ask for the accounts of the consent."""
    return xs2a.get("/v1/accounts", access=access)


def process_accounts_response(response: HttpResponse) -> tuple[Account, ...]:
    """Judge the list of accounts."""
    require_status(response, HTTPStatus.OK)
    return tuple(_account(entry) for entry in document_of(response).children("accounts"))


def account_request(xs2a: Xs2a, access: Access, account_id: AccountId) -> HttpResponse:
    """Ask for one account."""
    return xs2a.get(_account_path(account_id), access=access)


def process_account_response(response: HttpResponse) -> Account:
    """Judge one account's details."""
    require_status(response, HTTPStatus.OK)
    return _account(document_of(response).child("account"))


def balances_request(xs2a: Xs2a, access: Access, account_id: AccountId) -> HttpResponse:
    """Ask for an account's balances."""
    return xs2a.get(f"{_account_path(account_id)}/balances", access=access)


def process_balances_response(response: HttpResponse) -> tuple[Balance, ...]:
    """Judge an account's balances."""
    require_status(response, HTTPStatus.OK)
    entries = document_of(response).children("balances")
    return tuple(Balance(kind=entry.text("balanceType"), amount=entry.money("balanceAmount")) for entry in entries)


def transactions_request(
    xs2a: Xs2a, access: Access, account_id: AccountId, *, since: date, until: date | None = None, booking_status: str = "both"
) -> HttpResponse:
    """Ask for the first page of an account's movements since a day, up to a last one where it is given."""
    period = {"dateFrom": since.isoformat()} | ({"dateTo": until.isoformat()} if until else {})
    query = urlencode(period | {"bookingStatus": booking_status})
    return xs2a.get(f"{_account_path(account_id)}/transactions?{query}", access=access)


def process_transactions_response(response: HttpResponse) -> TransactionPage:
    """Judge one page of movements."""
    require_status(response, HTTPStatus.OK)
    report = document_of(response).child("transactions")
    return TransactionPage(
        booked=tuple(_transaction(entry) for entry in report.optional_children("booked")),
        pending=tuple(_transaction(entry) for entry in report.optional_children("pending")),
        next_link=report.optional_link("next"),
    )


def transaction_pages(
    xs2a: Xs2a, access: Access, account_id: AccountId, *, since: date, until: date | None = None, booking_status: str = "both"
) -> Iterator[TransactionPage]:
    """Go through all pages, asking for each as it is wanted; at most `MOST_PAGES`."""
    response = transactions_request(xs2a, access, account_id, since=since, until=until, booking_status=booking_status)
    for _ in range(MOST_PAGES):
        page = process_transactions_response(response)
        yield page
        if page.next_link is None:
            return
        response = xs2a.get(page.next_link, access=access)
    msg = f"the transactions of {account_id} have more than {MOST_PAGES} pages: the bank's next links may run in a circle"
    raise UnexpectedResponse(msg)


def _account_path(account_id: AccountId) -> str:
    return f"/v1/accounts/{quote(account_id, safe='')}"


def _account(entry: Document) -> Account:
    return Account(
        account_id=AccountId(entry.text("resourceId")),
        iban=entry.text("iban"),
        currency=entry.text("currency"),
        name=entry.optional_text("name"),
    )


def _transaction(entry: Document) -> Transaction:
    balance = entry.optional_child("balanceAfterTransaction")
    return Transaction(
        transaction_id=entry.optional_text("transactionId"),
        booking_date=entry.optional_text("bookingDate"),
        amount=entry.money("transactionAmount"),
        counterparty=entry.optional_text("creditorName") or entry.optional_text("debtorName"),
        remittance=entry.optional_text("remittanceInformationUnstructured"),
        balance_after=balance.money("balanceAmount") if "balanceAmount" in balance else None,
    )
