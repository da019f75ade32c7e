"""What a persona is made of: accounts, and habits that make money move."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from bank_backend.accounts.model import AccountStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from random import Random

# Which kind of name a role in braces gets.
COMPANY: Final = "company"
PERSON: Final = "person"
# ISO 20022 bank transaction codes (domain-family-sub-family), named as the account's holder sees the movement.
SALARY: Final = "PMNT-RCDT-SALA"
TRANSFER_IN: Final = "PMNT-RCDT-ESCT"
TRANSFER_OUT: Final = "PMNT-ICDT-ESCT"
STANDING_ORDER: Final = "PMNT-ICDT-STDO"
OWN_TRANSFER: Final = "PMNT-ICDT-BOOK"
DIRECT_DEBIT: Final = "PMNT-RDDT-ESDD"
CARD: Final = "PMNT-CCRD-POSD"
CARD_RECEIPT: Final = "PMNT-MCRD-POSP"
CASH: Final = "PMNT-CCRD-CWDL"
INTEREST: Final = "ACMT-MCOP-INTR"
CHARGES: Final = "ACMT-MDOP-CHRG"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """An account to open. `closing_minor` is about what it has when this month begins.

    It never falls below `cushion_minor`, and in this month never rises above `ceiling_minor`, where there is one.
    """

    key: str
    name: str
    product: str
    closing_minor: int
    cushion_minor: int = 1_000
    ceiling_minor: int | None = None
    overdraft_minor: int = 0
    currency: str = "EUR"
    cash_account_type: str = "CACC"
    is_professional: bool = False
    # Logins of others who hold it too.
    joint_with: tuple[str, ...] = ()
    # Whose account it is, where that is not its holders: a company's, say.
    owner_name: str = ""
    signatures_required: int = 1
    status: AccountStatus = AccountStatus.ENABLED
    # A card account: it settles with the account of this key; `overdraft_minor` is the card's limit.
    settles_with: str = ""
    billing_day: int | None = None
    # A sub-account: it shares the IBAN of the account of this key (BG IG §4.5).
    iban_of: str = ""
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Monthly:
    """Once a month on this day, or the next business day. `months` leaves others out (1 is January)."""

    day: int
    months: frozenset[int] = frozenset(range(1, 13))

    def times(self, first: date, rng: Random) -> list[int]:
        """Return the days of the month that starts at `first`."""
        del rng
        return [self.day] if first.month in self.months else []


@dataclass(frozen=True, slots=True)
class Often:
    """About `per_month` times a month, on any day."""

    per_month: float

    def times(self, first: date, rng: Random) -> list[int]:
        """Return the days of the month that starts at `first`."""
        del first
        whole, fraction = divmod(self.per_month, 1)
        count = int(whole) + (rng.random() < fraction)
        return sorted(1 + int(rng.random() * _SHORTEST_MONTH_DAYS) for _ in range(count))


_SHORTEST_MONTH_DAYS: Final = 28


class Way(Enum):
    """Which way money goes, seen from the habit's account."""

    IN = 1
    OUT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """Money that moves again and again.

    `who` lists counterparties, one of them each time: a name, or a role in braces that is named once for the persona
    (`{landlord}`). `own` is the holder's other account that the money goes to or comes from. `amounts` are bounds in minor
    units; `text` may use {month}, {year}, {day} and {number}.
    """

    account: str
    when: Monthly | Often
    way: Way
    code: str
    who: tuple[str, ...]
    amounts: tuple[int, int]
    text: str
    own: str | None = None
    # ISO 18245, of a purchase by card.
    merchant_category: str = ""
    # Charged in this currency, where that is not the account's.
    abroad: str = ""
    # Amounts are multiples of this many minor units.
    step: int = 1

    @property
    def is_card(self) -> bool:
        """Whether it is paid by card: booked on a later business day, pending until then."""
        return self.code == CARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A customer to seed. `roles` says which kind of name a role in braces gets."""

    login: str
    name: str
    purpose: str
    accounts: tuple[AccountPlan, ...]
    habits: tuple[Habit, ...]
    roles: Mapping[str, str]
