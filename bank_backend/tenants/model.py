"""A tenant: the bank that one TPP sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.accounts.model import Account
    from bank_backend.psus.model import Psu
    from psd2.ids import TenantId
    from psd2.roles import PspRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the register says of a TPP. `country` decides IBANs; `seed`, where given, decides the test data."""

    tenant: TenantId
    name: str
    country: str
    roles: frozenset[PspRole]
    seed: int | None
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One TPP's bank. `id` is the TPP's authorisation number."""

    id: TenantId
    name: str
    country: str
    roles: frozenset[PspRole]
    seed: int
    # Published test data, not a secret: `/sandbox/v1/data` tells it to the TPP.
    persona_password: str
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resident:
    """A persona of a tenant, with the accounts it holds."""

    psu: Psu
    accounts: Sequence[Account]
