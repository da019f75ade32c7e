"""Template filters: what the pages say of numbers, roles, and who supervises whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.readable import readable_day, readable_iban, readable_list, readable_money
from psd2.authorisation_number import AuthorisationNumber
from psd2.ncas import NCAS
from psd2.roles import PspRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_backend.tenants.model import Tenant

_ROLES = {
    PspRole.AI: "Account information",
    PspRole.PI: "Payment initiation",
    PspRole.IC: "Card issuing",
    PspRole.AS: "Account servicing",
}


def role_names(tpp: Tenant) -> list[str]:
    """Return what the TPP is licensed for."""
    return [_ROLES[role] for role in sorted(tpp.roles)]


def supervisor(tpp: Tenant) -> str:
    """Return who supervises the TPP, as its authorisation number tells."""
    number = AuthorisationNumber.parse(tpp.id)
    nca = NCAS.get(number.nca_id)
    return f"{nca.name} ({nca.country})" if nca else f"{number.nca} ({number.country})"


FILTERS: dict[str, Callable[..., object]] = {
    "iban": readable_iban,
    "money": readable_money,
    "day": readable_day,
    "listing": readable_list,
    "roles": role_names,
    "supervisor": supervisor,
}
