"""Account references as TPPs write them: an IBAN, and a currency where it matters (BG IG 1.3.8 §14.18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

if TYPE_CHECKING:
    from bank_backend.accounts.model import Account

_MOST_SHOWN = 40


class InvalidReference(ValueError):
    """A text that is no IBAN."""


@dataclass(frozen=True, slots=True)
class AccountReference:
    """An account as a TPP names it; without a currency any account of this IBAN is meant."""

    iban: str
    currency: str | None = None

    def names(self, account: Account) -> bool:
        """Whether this is the account that is meant."""
        return account.iban == self.iban and self.currency in {None, account.currency}


def parse_iban(text: str) -> str:
    """Return an IBAN whose check digits are right; raises `InvalidReference` saying what is wrong with it."""
    try:
        iban = IBAN(text)
    except SchwiftyException as error:
        msg = f"{text[:_MOST_SHOWN]!r} is no IBAN: {str(error)[:80]}"
        raise InvalidReference(msg) from None
    if iban.compact != text:
        msg = f"{text[:_MOST_SHOWN]!r} is not how an IBAN goes over the wire: write {iban.compact}"
        raise InvalidReference(msg)
    return text
