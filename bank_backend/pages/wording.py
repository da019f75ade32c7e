"""How things are written for people: money, IBANs, days, roles, who supervises whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.authorisations.asks import readable_day
from bank_backend.references import readable_iban
from psd2.authorisation_number import AuthorisationNumber
from psd2.ncas import NCAS
from psd2.roles import PspRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_backend.tenants.model import Tenant
    from psd2.money import Money

_ROLES = {
    PspRole.AI: "account information",
    PspRole.PI: "payment initiation",
    PspRole.IC: "card issuing (funds confirmation)",
    PspRole.AS: "account servicing",
}
_PHONE_DIGITS_SHOWN = 3
_CARD_DIGITS_SHOWN = 4


def readable_money(amount: Money) -> str:
    """Return an amount as people read it: `1,234.50 EUR`."""
    whole, point, fraction = amount.decimal.partition(".")
    return f"{int(whole):,}{point}{fraction} {amount.currency}".replace("-", "\N{MINUS SIGN}")


def masked_phone(phone: str) -> str:
    """Return a telephone number that only its owner recognises."""
    return f"\N{BULLET}\N{BULLET}\N{BULLET} {phone[-_PHONE_DIGITS_SHOWN:]}"


def masked_card(number: str) -> str:
    """Return a card number that only its holder recognises."""
    return f"\N{BULLET}\N{BULLET}\N{BULLET}\N{BULLET} {number[-_CARD_DIGITS_SHOWN:]}"


def role_names(tpp: Tenant) -> str:
    """Return what the TPP is licensed for."""
    return ", ".join(_ROLES[role] for role in sorted(tpp.roles))


def supervisor(tpp: Tenant) -> str:
    """Return who supervises the TPP, as its authorisation number tells."""
    number = AuthorisationNumber.parse(tpp.id)
    nca = NCAS.get(number.nca_id)
    return f"{nca.name} ({nca.country})" if nca else f"{number.nca} ({number.country})"


FILTERS: dict[str, Callable[..., str]] = {
    "iban": readable_iban,
    "money": readable_money,
    "day": readable_day,
    "phone": masked_phone,
    "card": masked_card,
    "roles": role_names,
    "supervisor": supervisor,
}
