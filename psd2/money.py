"""Money as integer minor units with a currency; a decimal string on the wire (BG IG 1.3.8 §14.1, ISO 4217)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_EXPONENTS = {"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3} | dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0
)
_USUAL_EXPONENT = 2
_CURRENCY = re.compile(r"[A-Z]{3}")
# BG: at most 14 integer digits, a point, and the currency's digits; no exponent, no leading plus.
_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,14})(?:\.(?P<fraction>[0-9]{1,3}))?", re.ASCII)


class InvalidMoney(ValueError):
    """An amount or currency that can't be read exactly."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies where one currency is meant."""


# A page of transactions asks two hundred times for the same one.
@lru_cache(maxsize=256)
def currency_exponent(currency: str) -> int:
    """Return how many decimal digits the currency has (ISO 4217); raises `InvalidMoney` for a malformed code."""
    if not _CURRENCY.fullmatch(currency):
        msg = f"{currency[:20]!r} is no currency: write three capital letters, for example EUR"
        raise InvalidMoney(msg)
    return _EXPONENTS.get(currency, _USUAL_EXPONENT)


def decimal_text(minor: int, currency: str) -> str:
    """Return minor units as a decimal string with all digits of the currency: `12.30`; raises `InvalidMoney`."""
    exponent = currency_exponent(currency)
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    sign = "-" if minor < 0 else ""
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units (cents) of `currency`; exact, never rounded."""

    minor: int
    currency: str

    @staticmethod
    def parse(text: str, currency: str) -> Money:
        """Read a decimal string such as `12.34`; excess digits are refused, never rounded; raises `InvalidMoney`."""
        exponent = currency_exponent(currency)
        match = _AMOUNT.fullmatch(text)
        if match is None:
            msg = f"{text[:40]!r} is no amount: write up to 14 digits and a decimal point, for example 12.34"
            raise InvalidMoney(msg)
        fraction = match["fraction"] or ""
        if len(fraction) > exponent:
            msg = f"{text!r} has {len(fraction)} decimal digits, {currency} has {exponent}: it is not rounded for you"
            raise InvalidMoney(msg)
        minor = int(match["whole"] + fraction.ljust(exponent, "0"))
        return Money(-minor if match["sign"] else minor, currency)

    @property
    def decimal(self) -> str:
        """The amount as its decimal string, with all digits of the currency: `12.30`."""
        return decimal_text(self.minor, self.currency)

    def __str__(self) -> str:
        """Write amount and currency: `12.30 EUR`."""
        return f"{self.decimal} {self.currency}"

    def __add__(self, other: Money) -> Money:
        """Add; raises `CurrencyMismatch`."""
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        """Subtract; raises `CurrencyMismatch`."""
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        """Turn the sign."""
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        """Compare; raises `CurrencyMismatch`."""
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        """Compare; raises `CurrencyMismatch`."""
        return self.minor <= self._same(other)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            msg = f"{self} and {other} are of different currencies"
            raise CurrencyMismatch(msg)
        return other.minor
