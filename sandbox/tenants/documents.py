"""Reading what the bank says of a tenant; each raises `KeyError`, `TypeError` or `ValueError` for what is not as agreed."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from psd2.money import Money
from sandbox.tenants.model import AccountBook, Balance, BookedAccount, Message, Movement, Persona, PersonaAccount

if TYPE_CHECKING:
    from collections.abc import Mapping

Document: TypeAlias = "Mapping[str, Any]"


def personas_of(document: Document) -> tuple[Persona, ...]:
    """Return the personas in the bank's order."""
    return tuple(
        Persona(
            psu=one["psu"],
            name=one["name"],
            purpose=one["purpose"],
            password=one["password"],
            accounts=tuple(
                PersonaAccount(id=account["id"], iban=account["iban"], currency=account["currency"])
                for account in one["accounts"]
            ),
        )
        for one in document["personas"]
    )


def accounts_of(document: Document) -> tuple[BookedAccount, ...]:
    """Return the accounts, each once."""
    return tuple(_account(one) for one in document["accounts"])


def book_of(document: Document) -> AccountBook:
    """Return an account with a page of its movements."""
    return AccountBook(
        account=_account(document["account"]),
        booked=tuple(_movement(one) for one in document["booked"]),
        pending=tuple(_movement(one) for one in document["pending"]),
        next_page=document["next"],
    )


def messages_of(document: Document) -> tuple[Message, ...]:
    """Return the messages, newest first."""
    return tuple(
        Message(
            at=datetime.fromisoformat(one["at"]),
            psu=one["psu"],
            channel=one["channel"],
            subject=one["subject"],
            text=one["text"],
        )
        for one in document["messages"]
    )


def _account(document: Document) -> BookedAccount:
    return BookedAccount(
        id=document["id"],
        iban=document["iban"],
        currency=document["currency"],
        name=document["name"],
        product=document["product"],
        balances=tuple(_balance(one) for one in document["balances"]),
    )


def _balance(document: Document) -> Balance:
    return Balance(
        kind=document["balanceType"],
        amount=_money(document["balanceAmount"]),
        with_credit_line=bool(document.get("creditLimitIncluded")),
        on=date.fromisoformat(document["referenceDate"]),
    )


def _movement(document: Document) -> Movement:
    """Berlin Group names the other side only: the creditor of what was debited, the debtor of what was credited."""
    side = "creditor" if "creditorName" in document else "debtor"
    booked, after = document.get("bookingDate"), document.get("balanceAfterTransaction")
    return Movement(
        id=document["transactionId"],
        amount=_money(document["transactionAmount"]),
        booked_on=None if booked is None else date.fromisoformat(booked),
        value_on=date.fromisoformat(document["valueDate"]),
        counterparty=document[f"{side}Name"],
        counterparty_iban=document.get(f"{side}Account", {}).get("iban", ""),
        remittance=document["remittanceInformationUnstructured"],
        balance_after=None if after is None else _money(after["balanceAmount"]),
    )


def _money(document: Document) -> Money:
    return Money.parse(document["amount"], document["currency"])
