"""Wires the operator's side: stores, clock, certificate authority and the services it calls."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chassis.addresses import Address
from chassis.peers import Peer, PeerSession
from chassis.serving.turnstile import Turnstile
from psd2.clock import SystemClock
from sandbox.bank_client import BankOverTheWire
from sandbox.ca.authorities import published_certificates
from sandbox.ca.profiles import load_profiles, profiles_path
from sandbox.ca.quota import IssuingLimits
from sandbox.ca.renewal import with_rules
from sandbox.ca.service import CertificateAuthority
from sandbox.ca.store import CertificateStore
from sandbox.calls.service import Calls
from sandbox.database import open_sandbox_engine
from sandbox.developers.attempt_store import SqlAttempts
from sandbox.developers.attempts import Quota, registrations_from_one_address
from sandbox.developers.organisation_store import SqlOrganisations
from sandbox.developers.organisations import Organisations
from sandbox.developers.passwords import RECOMMENDED, PasswordHasher
from sandbox.developers.service import Developers
from sandbox.developers.store import SqlDevelopers
from sandbox.doctor.service import Doctor
from sandbox.doctor.store import SqlArchive
from sandbox.gateway_client import GatewayOverTheWire
from sandbox.health.service import Health
from sandbox.services import Services
from sandbox.tenants.levers import LeversOverTheWire
from sandbox.tenants.personalities import PersonalitiesOverTheWire
from sandbox.tpps.applications import RegisterLimits
from sandbox.tpps.client_data import PublicAddresses
from sandbox.tpps.order_store import SqlOrderStore
from sandbox.tpps.orders import Orders
from sandbox.tpps.service import Register
from sandbox.tpps.store import SqlTppStore
from sandbox.trust.service import TrustDelivery
from sandbox.trust.store import SqlDeliveries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Engine

    from psd2.clock import Clock
    from sandbox.config import SandboxSettings

_CALLER = "portal"
# Argon2 at a time: 92 MiB, however many sign in. Nobody waits longer than the edge does.
_HASHES_AT_ONCE, _HASHES_WAITING, _HASH_PATIENCE_SECONDS = 2, 12, 10.0


def build_services(settings: SandboxSettings) -> Services:
    """Wire everything; raises `DatabaseProblem` where the database is missing, behind or newer than the code."""
    clock = SystemClock()
    engine = open_sandbox_engine(settings.database_url, threads=settings.threads)
    addresses = PublicAddresses(settings.public_host, settings.ports)
    authority = _authority(settings, engine, clock, addresses)
    peers = _peers(settings)
    gateway, bank = GatewayOverTheWire(peers["admin"]), BankOverTheWire(peers["bank"])
    trust = TrustDelivery(source=authority, gateway=gateway, acknowledgements=SqlDeliveries(engine, clock))
    return Services(
        settings=settings,
        clock=clock,
        addresses=addresses,
        authority=authority,
        register=Register(
            store=SqlTppStore(engine),
            bank=bank,
            gateway=gateway,
            authority=authority,
            clock=clock,
            limits=RegisterLimits(all=settings.max_tpps, per_organisation=settings.max_tpps_per_organisation),
        ),
        trust=trust,
        developers=_developers(settings, engine, clock),
        organisations=Organisations(SqlOrganisations(engine), clock),
        registrations=Quota(
            registrations_from_one_address(settings.registrations_per_hour), store=SqlAttempts(engine), clock=clock
        ),
        tenant_data=bank,
        personalities=PersonalitiesOverTheWire(peers["bank"]),
        levers=LeversOverTheWire(peers["bank"]),
        calls=Calls(gateway, clock),
        health=Health(home=settings.home, clock=clock, peers=peers, neighbours=gateway, lists=authority, trust=trust),
        orders=Orders(store=SqlOrderStore(engine), clock=clock),
        archive=SqlArchive(engine),
        close=partial(_close, engine, peers),
    )


def _close(engine: Engine, peers: Mapping[str, PeerSession]) -> None:
    for peer in peers.values():
        peer.close()
    engine.dispose()


def _authority(settings: SandboxSettings, engine: Engine, clock: Clock, addresses: PublicAddresses) -> CertificateAuthority:
    return CertificateAuthority(
        records=CertificateStore(engine),
        home=settings.home,
        profiles=with_rules(load_profiles(profiles_path(settings.home)), settings.renewal_rules),
        clock=clock,
        pki_base=f"{addresses.welcome}/pki",
        disclosure_url=f"{addresses.portal}/pki/disclosure",
        public_host=settings.public_host,
        limits=IssuingLimits(
            per_day=settings.max_certificates_per_tpp_per_day, unexpired=settings.max_unexpired_certificates_per_tpp
        ),
    )


def build_doctor(settings: SandboxSettings) -> Doctor:
    """Wire the certificate doctor with what the home holds, which may be nothing.

    Raises `HierarchyDamaged`, and `DatabaseProblem` where the database is behind or newer than the code.
    """
    archive = SqlArchive(open_sandbox_engine(settings.database_url)) if settings.has_database else None
    return Doctor(clock=SystemClock(), authorities=published_certificates(settings.home), archive=archive)


def _developers(settings: SandboxSettings, engine: Engine, clock: Clock) -> Developers:
    gate = Turnstile(
        inside=_HASHES_AT_ONCE, waiting=_HASHES_WAITING, patience_seconds=_HASH_PATIENCE_SECONDS, what="people signing in"
    )
    return Developers(
        store=SqlDevelopers(engine),
        attempts=SqlAttempts(engine),
        hasher=PasswordHasher(cost=RECOMMENDED, gate=gate),
        clock=clock,
        sign_ups_per_hour=settings.sign_ups_per_hour,
    )


def _peers(settings: SandboxSettings) -> dict[str, PeerSession]:
    own = Address("localhost", settings.ports.portal_internal)
    addresses = {"bank": settings.bank_address, "admin": settings.admin_address, "portal": own}
    return {name: _session(settings, name, address) for name, address in addresses.items()}


def _session(settings: SandboxSettings, name: str, address: Address) -> PeerSession:
    return PeerSession(Peer(name=name, address=address, home=settings.home, caller=_CALLER))
