"""What pages and commands are given: everything of the operator's side, built once by `sandbox.bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.ca.authorities import published_certificates
from sandbox.doctor.service import Doctor

if TYPE_CHECKING:
    from collections.abc import Callable

    from psd2.clock import Clock
    from sandbox.bank_client import TenantData
    from sandbox.ca.service import CertificateAuthority
    from sandbox.calls.service import Calls
    from sandbox.config import SandboxSettings
    from sandbox.developers.attempts import Quota
    from sandbox.developers.organisations import Organisations
    from sandbox.developers.service import Developers
    from sandbox.doctor.service import Archive
    from sandbox.health.service import Health
    from sandbox.tenants.levers import Levers
    from sandbox.tenants.personalities import Personalities
    from sandbox.tpps.client_data import PublicAddresses
    from sandbox.tpps.orders import Orders
    from sandbox.tpps.service import Register
    from sandbox.trust.service import TrustDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the portal and the `sandbox` command work with."""

    settings: SandboxSettings
    clock: Clock
    addresses: PublicAddresses
    authority: CertificateAuthority
    register: Register
    trust: TrustDelivery
    developers: Developers
    organisations: Organisations
    registrations: Quota
    tenant_data: TenantData
    personalities: Personalities
    levers: Levers
    calls: Calls
    health: Health
    orders: Orders
    archive: Archive
    close: Callable[[], None] = lambda: None  # lets go of connections to peers and the database

    def doctor(self) -> Doctor:
        """Return the certificate doctor, with the authorities as they are now. Raises `HierarchyDamaged`."""
        return Doctor(clock=self.clock, authorities=published_certificates(self.settings.home), archive=self.archive)
