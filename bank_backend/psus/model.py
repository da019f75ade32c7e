"""A payment service user of the bank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from psd2.ids import PsuId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Psu:
    """A customer. `id` is its login (`anna.weber`), unique within the tenant; `purpose` says what the persona is for."""

    id: PsuId
    tenant: TenantId
    name: str
    email: str
    phone: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the bank knows to check a password with: a PHC hash string, failures in a row, and a lock's end."""

    psu: Psu
    password_hash: str
    failures: int
    locked_until: datetime | None
