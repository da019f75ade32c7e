"""Personas and what they have, as the bank tells it to the portal (architecture §3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date, datetime

    from psd2.money import Money

_CODE: Final = re.compile(r"\bcode is ([0-9]{4,10})\b", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaAccount:
    """An account that a persona holds, alone or with others."""

    id: str
    iban: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A PSU of the tenant. The password is published test data."""

    psu: str
    name: str
    purpose: str
    password: str
    accounts: tuple[PersonaAccount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One of an account's balances; `kind` is Berlin Group's `balanceType`."""

    kind: str
    amount: Money
    with_credit_line: bool
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedAccount:
    """An account with its balances."""

    id: str
    iban: str
    currency: str
    name: str
    product: str
    balances: tuple[Balance, ...]

    def balance(self, kind: str) -> Balance | None:
        """Return the balance of a kind, without the credit line; None where the bank doesn't tell it."""
        return next((one for one in self.balances if one.kind == kind and not one.with_credit_line), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A movement as its account sees it; `booked_on` and `balance_after` are None while it is pending."""

    id: str
    amount: Money
    booked_on: date | None
    value_on: date
    counterparty: str
    counterparty_iban: str
    remittance: str
    balance_after: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBook:
    """A page of an account's movements, newest first; `next_page` leads to older ones."""

    account: BookedAccount
    booked: tuple[Movement, ...]
    pending: tuple[Movement, ...]
    next_page: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to a persona, as its phone would show it."""

    at: datetime
    psu: str
    channel: str
    subject: str
    text: str

    @property
    def code(self) -> str | None:
        """The one-time code in it, if any."""
        match = _CODE.search(self.text)
        return match[1] if match else None
