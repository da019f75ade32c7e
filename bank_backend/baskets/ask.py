"""Several requests as one that a PSU decides on; each stays visible for itself (RTS 2018/389 Art. 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.asks import AccountChoice, eligible_accounts
from bank_backend.authorisations.wording import Line, Wording
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.asks import Ask
    from bank_backend.references import AccountReference


@dataclass(frozen=True, slots=True)
class BasketAsk:
    """What is asked about the members of a basket, in their order."""

    members: tuple[Ask, ...]

    @property
    def choice(self) -> AccountChoice:
        """Members name their accounts: nothing is left to choose."""
        return AccountChoice.NAMED

    @property
    def references(self) -> tuple[AccountReference, ...]:
        """The accounts of all members, each once."""
        return tuple(dict.fromkeys(reference for member in self.members for reference in member.references))

    def statement(self, tpp: str, accounts: Sequence[Account]) -> str:
        """Say what approving does, member by member: the code is bound to every amount and payee."""
        return "; and ".join(member.statement(tpp, accounts_of(member, accounts)) for member in self.members)

    def wording(self, tpp: str, accounts: Sequence[Account]) -> Wording:
        """Return the members one after the other, and what they sum up to."""
        worded = [member.wording(tpp, accounts_of(member, accounts)) for member in self.members]
        return Wording(
            opening=f"{tpp} has prepared {len(worded)} requests for one signature",
            question="Do you want to approve all of this?",
            lines=tuple(line for place, each in enumerate(worded, start=1) for line in _lines(place, each)),
            total=_sum([each.total for each in worded]),
            confirm="Approve all",
            confirmed="All of it has been approved.",
            refused="Nothing of it has been approved.",
        )


def accounts_of(member: Ask, accounts: Sequence[Account]) -> tuple[Account, ...]:
    """Return those of the accounts that a member is about."""
    return eligible_accounts(member, accounts).accounts


def _lines(place: int, wording: Wording) -> tuple[Line, ...]:
    return (Line(f"Request {place}", wording.confirm if wording.total else wording.question), *wording.lines)


def _sum(totals: Sequence[Money | None]) -> Money | None:
    amounts = [total for total in totals if total is not None]
    currencies = {amount.currency for amount in amounts}
    if len(currencies) != 1 or len(amounts) != len(totals):
        return None
    return Money(sum(amount.minor for amount in amounts), currencies.pop())
