"""A tenant: the bank that one TPP sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psd2.ids import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One TPP's bank. `id` is the TPP's authorisation number, `country` decides IBANs, `seed` decides the test data."""

    id: TenantId
    name: str
    country: str
    roles: str
    seed: int
    # Published test data, not a secret: `/sandbox/v1/data` tells it to the TPP.
    persona_password: str
