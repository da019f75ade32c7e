"""What each payment product costs and when it counts, read from `products.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from bank_backend.ledger.calendar import business_day, is_business_day, next_business_day
from bank_backend.ledger.exchange import EURO, half_up
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, time

_BASIS_POINTS: Final = 10_000


class ChargeBearer(StrEnum):
    """Who bears the charges (ISO 20022 ChargeBearerType1Code)."""

    DEBT = "DEBT"
    CRED = "CRED"
    SHAR = "SHAR"
    SLEV = "SLEV"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What is taken for one service, in cents: a fixed part and a part of the amount, within bounds."""

    fixed_minor: int = 0
    basis_points: int = 0
    least_minor: int = 0
    most_minor: int | None = None

    def on(self, euros: Money) -> Money:
        """Return the fee for an amount in euro."""
        minor = max(self.fixed_minor + half_up(euros.minor * self.basis_points, _BASIS_POINTS), self.least_minor)
        return Money(minor if self.most_minor is None else min(minor, self.most_minor), EURO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A payment product as the ledger knows it."""

    name: str
    code: str
    cut_off: time | None
    sending: Fee
    receiving: Fee

    @property
    def is_free(self) -> bool:
        """Whether nothing is ever taken."""
        return self.sending == self.receiving == Fee()

    def value_date(self, at: datetime, *, is_internal: bool) -> date:
        """Return the day from which on the money counts; between accounts of this bank it is the day itself."""
        day = at.date()
        if is_internal or self.cut_off is None:
            return day
        is_late = is_business_day(day) and at.time() > self.cut_off
        return next_business_day(day) if is_late else business_day(day)


def shares(product: Product, bearer: ChargeBearer, euros: Money) -> tuple[Money, Money]:
    """Return what debtor and creditor bear, in euro, of the charges on an amount in euro."""
    sending, receiving = product.sending.on(euros), product.receiving.on(euros)
    nothing = Money(0, EURO)
    match bearer:
        case ChargeBearer.DEBT:
            return sending + receiving, nothing
        case ChargeBearer.CRED:
            return nothing, sending + receiving
        case ChargeBearer.SHAR | ChargeBearer.SLEV:
            return sending, receiving


def _fee(content: Mapping[str, Any]) -> Fee:
    def cents(name: str) -> int:
        return Money.parse(content.get(name, "0"), EURO).minor

    return Fee(
        fixed_minor=cents("fixed"),
        basis_points=content.get("basis_points", 0),
        least_minor=cents("least"),
        most_minor=cents("most") if "most" in content else None,
    )


def _read_products() -> dict[str, Product]:
    content = tomllib.loads((files("bank_backend") / "ledger" / "products.toml").read_text("utf-8"))
    return {
        name: Product(
            name=name,
            code=entry["code"],
            cut_off=entry.get("cut_off"),
            sending=_fee(entry.get("sending", {})),
            receiving=_fee(entry.get("receiving", {})),
        )
        for name, entry in content.items()
    }


PRODUCTS: Final = _read_products()
SEPA_CREDIT_TRANSFER: Final = PRODUCTS["sepa-credit-transfers"].code
_BY_CODE: Final = {product.code: product for product in PRODUCTS.values()}


def product_of(code: str) -> Product:
    """Return the product that is booked under a code; raises `ValueError` for a code of none."""
    if code not in _BY_CODE:
        msg = f"{code!r} is the code of no payment product: there are {', '.join(sorted(_BY_CODE))}"
        raise ValueError(msg)
    return _BY_CODE[code]
