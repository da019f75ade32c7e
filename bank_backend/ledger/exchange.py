"""Foreign exchange in integers: each day's rates follow from the rate file's seed, and amounts are rounded half up.

Half up is how amounts in euro are rounded (Regulation (EC) 1103/97 Art. 5). Rates have eight decimals.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from bank_backend.ledger.refusals import NoRate
from psd2.money import Money, currency_exponent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

EURO: Final = "EUR"
RATE_DECIMALS: Final = 8
_ONE: Final = 10**RATE_DECIMALS
_BASIS_POINTS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The rate of one exchange, kept with its entry: one unit of the source currency buys `rate_e8` / 10⁸ of the target's.

    BG IG 1.3.8 §14.29: `unitCurrency` is the source currency.
    """

    source_currency: str
    target_currency: str
    rate_e8: int
    quotation_date: date
    contract: str

    @property
    def rate(self) -> str:
        """The rate as statements write it: `1.0845`."""
        return rate_text(self.rate_e8)

    def bought(self, source: Money) -> Money:
        """Return what an amount of the source currency buys."""
        self._require(source, self.source_currency)
        numerator = source.minor * self.rate_e8 * 10 ** currency_exponent(self.target_currency)
        return Money(half_up(numerator, _ONE * 10 ** currency_exponent(self.source_currency)), self.target_currency)

    def cost(self, target: Money) -> Money:
        """Return what an amount of the target currency costs."""
        self._require(target, self.target_currency)
        numerator = target.minor * _ONE * 10 ** currency_exponent(self.source_currency)
        return Money(half_up(numerator, self.rate_e8 * 10 ** currency_exponent(self.target_currency)), self.source_currency)

    def _require(self, amount: Money, currency: str) -> None:
        if amount.currency != currency:
            msg = f"{amount} is not in {currency}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTable:
    """What one euro costs, about, and how far each day may lie from that."""

    seed: str
    swing_basis_points: int
    per_euro_e8: Mapping[str, int]
    conversion_basis_points: int = 0

    def conversion_fee(self, amount: Money) -> Money:
        """Return what the bank takes for exchanging an amount, or for giving it in exchange."""
        return Money(half_up(amount.minor * self.conversion_basis_points, _BASIS_POINTS), amount.currency)

    def exchange(self, *, source: str, target: str, day: date) -> Exchange:
        """Return the day's rate between two currencies; raises `NoRate`."""
        rate_e8 = half_up(self._of_day(target, day) * _ONE, self._of_day(source, day))
        return Exchange(
            source_currency=source,
            target_currency=target,
            rate_e8=rate_e8,
            quotation_date=day,
            contract=f"FX-{source}{target}-{day:%Y%m%d}",
        )

    def _of_day(self, currency: str, day: date) -> int:
        if currency == EURO:
            return _ONE
        if currency not in self.per_euro_e8:
            raise NoRate(currency)
        swing = _swing(f"{self.seed} {currency} {day.isoformat()}", self.swing_basis_points)
        return half_up(self.per_euro_e8[currency] * (_BASIS_POINTS + swing), _BASIS_POINTS)


@lru_cache(maxsize=4096)
def _swing(subject: str, most: int) -> int:
    """Return a number from -most to +most that follows from the subject alone."""
    number = int.from_bytes(hashlib.blake2b(subject.encode(), digest_size=8).digest())
    return number % (2 * most + 1) - most


def half_up(numerator: int, denominator: int) -> int:
    """Return the quotient of two numbers that aren't negative, rounded; half a unit counts as one."""
    return (2 * numerator + denominator) // (2 * denominator)


def rate_text(rate_e8: int) -> str:
    """Write a rate with as many decimals as it has: `1.0845`."""
    whole, fraction = divmod(rate_e8, _ONE)
    return f"{whole}.{fraction:0{RATE_DECIMALS}d}".rstrip("0").rstrip(".")


def _read_rates() -> RateTable:
    content = tomllib.loads((files("bank_backend") / "ledger" / "exchange_rates.toml").read_text("utf-8"))
    return RateTable(
        seed=content["seed"],
        swing_basis_points=content["swing_basis_points"],
        conversion_basis_points=content["conversion_basis_points"],
        per_euro_e8={currency: _rate_e8(text) for currency, text in content["units_per_euro"].items()},
    )


def _rate_e8(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * _ONE + int(fraction.ljust(RATE_DECIMALS, "0"))


RATES: Final = _read_rates()
