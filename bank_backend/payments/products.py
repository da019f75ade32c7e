"""The payment products, each in JSON or pain.001, and the rules of their schemes (BG IG 1.3.8 §5.3, §11.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bank_backend.ledger.products import PRODUCTS as LEDGER_PRODUCTS
from bank_backend.ledger.products import ChargeBearer
from bank_backend.personalities.model import PaymentFormat, PaymentProduct

_PAIN: Final = "pain.001-"
# EPC SCT rulebook: 0.01 to 999 999 999.99 EUR; a bound of the same size for what it does not rule.
MOST_MINOR: Final = 99_999_999_999
EURO: Final = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """The rules of a product, whatever its format; what it costs and when it counts is the ledger's."""

    title: str
    # None: any currency.
    currency: str | None
    # The first is meant where an instruction names none.
    charge_bearers: tuple[ChargeBearer, ...]
    # Whether it settles on TARGET's business days only.
    business_days_only: bool = False
    # Whether the payee's bank has credited the payee by the time the payer is debited (EPC SCT Inst rulebook).
    is_instant: bool = False


_ANY_BEARER: Final = (ChargeBearer.SHAR, ChargeBearer.DEBT, ChargeBearer.CRED)
SCHEMES: Final = {
    PaymentProduct.SEPA: Scheme(title="SEPA credit transfer", currency=EURO, charge_bearers=(ChargeBearer.SLEV,)),
    PaymentProduct.INSTANT: Scheme(
        title="instant SEPA credit transfer", currency=EURO, charge_bearers=(ChargeBearer.SLEV,), is_instant=True
    ),
    PaymentProduct.TARGET_2: Scheme(
        title="TARGET2 payment", currency=EURO, charge_bearers=_ANY_BEARER, business_days_only=True
    ),
    PaymentProduct.CROSS_BORDER: Scheme(title="cross-border credit transfer", currency=None, charge_bearers=_ANY_BEARER),
}


@dataclass(frozen=True, slots=True)
class Product:
    """A payment product in one format, as the second segment of a payment's path names it."""

    product: PaymentProduct
    format: PaymentFormat

    @property
    def name(self) -> str:
        """The path's segment."""
        return f"{_PAIN}{self.product}" if self.is_pain else self.product.value

    @property
    def is_pain(self) -> bool:
        """Whether its instructions are pain.001 messages."""
        return self.format is PaymentFormat.PAIN_001

    @property
    def scheme(self) -> Scheme:
        """The product's rules."""
        return SCHEMES[self.product]

    @property
    def code(self) -> str:
        """The ISO 20022 bank transaction code of its movements."""
        return LEDGER_PRODUCTS[self.product].code


PRODUCTS: Final = {
    product.name: product for form in PaymentFormat for each in PaymentProduct for product in (Product(each, form),)
}
