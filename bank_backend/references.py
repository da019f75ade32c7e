"""Account references as TPPs write them: an IBAN or a card's number, and a currency where it matters (BG IG 1.3.8 §14.18)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from bank_backend.readable import readable_iban

if TYPE_CHECKING:
    from bank_backend.accounts.model import Account

_MOST_SHOWN = 40
# ISO/IEC 7812: a card number has up to 19 digits; those in use have at least 12.
_PAN: Final = re.compile(r"[0-9]{12,19}", re.ASCII)
_IBAN_SHAPE: Final = re.compile(r"[A-Z]{2}[0-9]{2}")
_BBAN: Final = re.compile(r"[a-zA-Z0-9]{1,30}", re.ASCII)
_MASKED_PAN: Final = re.compile(r"[0-9]{6}[xX*]{2,9}[0-9]{4}", re.ASCII)


class InvalidReference(ValueError):
    """A text that is no IBAN or no card number."""


@dataclass(frozen=True, slots=True)
class AccountReference:
    """An account as a TPP names it, by exactly one of IBAN, PAN and masked PAN.

    An IBAN without a currency means every account of this IBAN: a multi-currency account has several.
    """

    iban: str = ""
    currency: str | None = None
    pan: str = ""
    masked_pan: str = ""

    def names(self, account: Account) -> bool:
        """Whether this is the account that is meant, or one of those."""
        if self.currency not in {None, account.currency}:
            return False
        if self.pan:
            return account.pan == self.pan
        if self.masked_pan:
            return account.masked_pan == self.masked_pan
        return bool(self.iban) and account.iban == self.iban

    @property
    def readable(self) -> str:
        """What people know it by."""
        identification = readable_iban(self.iban) if self.iban else self.masked_pan or self.pan
        return f"{identification} ({self.currency})" if self.currency else identification


def reference_to(account: Account) -> AccountReference:
    """Return the reference that names this account alone."""
    if account.is_card:
        return AccountReference(masked_pan=account.masked_pan, currency=account.currency)
    return AccountReference(account.iban, account.currency)


def reference_json(reference: AccountReference) -> dict[str, str]:
    """Return `accountReference`."""
    named = {"iban": reference.iban, "pan": reference.pan, "maskedPan": reference.masked_pan}
    body = {name: value for name, value in named.items() if value}
    return body | {"currency": reference.currency} if reference.currency else body


def is_iban_shaped(number: str) -> bool:
    """Whether an account's number is an IBAN; what a country without IBAN calls its accounts begins otherwise."""
    return _IBAN_SHAPE.match(number) is not None


def number_json(number: str) -> dict[str, str]:
    """Return `accountReference` of an account anywhere, by its IBAN or BBAN."""
    return {"iban" if is_iban_shaped(number) else "bban": number}


def parse_number(text: str) -> str:
    """Return an IBAN whose check digits are right, or a BBAN; raises `InvalidReference`."""
    if is_iban_shaped(text) or not _BBAN.fullmatch(text):
        return parse_iban(text)
    return text


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


def parse_pan(text: str) -> str:
    """Return a card number whose check digit is right (ISO/IEC 7812-1 annex B); raises `InvalidReference`."""
    if not _PAN.fullmatch(text):
        msg = "it is no card number: write its 12 to 19 digits, or use maskedPan"
        raise InvalidReference(msg)
    if text[-1] != luhn_digit(text[:-1]):
        msg = f"its check digit is wrong: a card number that begins so ends in {luhn_digit(text[:-1])}"
        raise InvalidReference(msg)
    return text


def parse_masked_pan(text: str) -> str:
    """Return a masked card number, its middle written `x`; raises `InvalidReference`."""
    if not _MASKED_PAN.fullmatch(text):
        msg = f"{text[:_MOST_SHOWN]!r} is no masked card number: write one such as 999941xxxxxx3241"
        raise InvalidReference(msg)
    return text.replace("*", "x").replace("X", "x")


def luhn_digit(digits: str) -> str:
    """Return the check digit that belongs after these digits (ISO/IEC 7812-1 annex B)."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)  # noqa: PLR2004 - a digit's largest value
