"""Wires the control API: settings, stores, clock, and what goes on in the background."""

from __future__ import annotations

from datetime import timedelta
from random import SystemRandom
from typing import TYPE_CHECKING, Final, Protocol

from chassis.peers import Peer, PeerAnswer, PeerSession
from gateway.acme.keeper import AcmeKeeper
from gateway.acme.ordering import AcmeOrdering
from gateway.acme.store import SqlAcme
from gateway.admin.app import create_app as create_admin_app
from gateway.admin.services import Services
from gateway.admin_audit.pruning import AdminAuditPruning
from gateway.admin_audit.store import SqlAdminAudit
from gateway.admission.store import SqlKnowledgeSource
from gateway.audit.shipping import Retention, Shipper
from gateway.audit.store import SqlAuditRecords
from gateway.certificates.expiry import watched_certificates
from gateway.certificates.expiry_watch import ExpiryWatch
from gateway.configuration.service import Configuration
from gateway.database import open_gateway_engine
from gateway.documents import document_seal, document_store
from gateway.explain.desk import ExplainDesk
from gateway.explain.standing_knowledge import StandingKnowledge
from gateway.kinds import KINDS
from gateway.limits.blocks import Blocks
from gateway.oauth.jose.administration import KeyAdministration
from gateway.oauth.jose.key_store import SqlSigningKeys
from gateway.oauth.pruning import Pruner
from gateway.register.service import Register
from gateway.register.store import SqlRegisterStore
from gateway.relays.delivery import RelaysApart
from gateway.trust.crl_fetching import CrlKeeper
from gateway.trust.crl_points import SqlCrlPoints
from gateway.trust.fetching import Fetcher
from gateway.trust.kind import TRUST_STORES
from gateway.trust.ocsp_store import SqlOcspAnswers
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from gateway.trust.stores import StandingStores
from psd2.clock import SystemClock

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import Engine

    from chassis.addresses import Address
    from gateway.certificates.expiry import Watched
    from gateway.config import GatewaySettings
    from psd2.clock import Clock

_ANSWERS_KEPT: Final = timedelta(days=30)


def admin_app(settings: GatewaySettings) -> Flask:
    """Return the control API, and begin what goes on beside it."""
    wiring = _Wiring(settings)
    for keeper in wiring.keepers():
        keeper.start()
    return wiring.app()


class _Keeper(Protocol):
    """Something that goes on in a thread of its own."""

    def start(self) -> None:
        """Begin."""


class _Wiring:
    """What several parts of the control API share, and the parts that are made of it."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings, self._clock = settings, SystemClock()
        # One thread more: it ships audit records.
        self._engine = engine = open_gateway_engine(settings.database_url, threads=settings.admin_threads + 1)
        self._configuration = Configuration(kinds=KINDS, store=document_store(engine, settings), clock=self._clock)
        self._stores = StandingStores(lambda: self._configuration.standing(TRUST_STORES.name))
        trusted = SqlTrustStore(engine, RelaysApart().require)
        self._trust = Trust(store=trusted, clock=self._clock, described=self._stores.read)
        self._points = SqlCrlPoints(engine)
        self._acme = SqlAcme(engine, document_seal(settings))
        self._audit_records = SqlAuditRecords(engine)
        retention = Retention(age=timedelta(days=settings.audit_days), most_rows=settings.audit_rows)
        self._shipper = Shipper(settings.audit_path, self._audit_records, self._clock, retention)

    def keepers(self) -> tuple[_Keeper, ...]:
        engine, clock = self._engine, self._clock
        kept, hourly = timedelta(days=self._settings.admin_audit_days), timedelta(hours=1)
        return (
            self._shipper,
            Pruner(store=SqlOcspAnswers(engine), clock=clock, retention=_ANSWERS_KEPT, every=hourly),
            Pruner(store=AdminAuditPruning(engine, clock), clock=clock, retention=kept, every=hourly),
            CrlKeeper(points=self._points, trust=self._trust, fetcher=Fetcher(), stores=self._stores.read, clock=clock),
            _acme_keeper(self._acme, self._configuration, clock),
            ExpiryWatch(engine=engine, watched=self._watched, clock=clock),
        )

    def app(self) -> Flask:
        settings, engine, clock = self._settings, self._engine, self._clock
        services = Services(
            register=Register(store=SqlRegisterStore(engine), clock=clock, internal_hosts=settings.client_hosts),
            trust=self._trust,
            crl_points=self._points,
            configuration=self._configuration,
            acme=self._acme,
            watched=self._watched,
            admin_audit=SqlAdminAudit(engine),
            blocks=Blocks(engine, clock, block_seconds=settings.brute_force_block_seconds),
            audit_folder=settings.audit_path,
            audit_records=self._audit_records,
            metrics_folder=settings.metrics_path,
            unshipped_bytes=lambda: self._shipper.unshipped_bytes,
            explain_desk=_explain_desk(settings, engine, self._configuration, clock),
            home=settings.home,
            clock=clock,
            signing_keys=KeyAdministration(
                store=SqlSigningKeys(engine), ahead=timedelta(seconds=settings.signing_key_ahead_seconds), clock=clock
            ),
            neighbours=[
                _Neighbour(settings, "authorization", settings.authorization_address),
                _Neighbour(settings, "demo", settings.demo_address),
            ],
        )
        return create_admin_app(services)

    def _watched(self) -> list[Watched]:
        return watched_certificates(self._settings.home, self._configuration.snapshot(), self._trust.authorities)


def _explain_desk(settings: GatewaySettings, engine: Engine, configuration: Configuration, clock: Clock) -> ExplainDesk:
    standing = StandingKnowledge(
        settings,
        SqlKnowledgeSource(engine),
        configuration.snapshot,
        answers=SqlOcspAnswers(engine),
        fetcher=Fetcher(),
        clock=clock,
    )
    host = settings.edge_url.partition("://")[2]
    return ExplainDesk(standing, clock, host=host, signature_seconds=settings.signature_seconds)


def _acme_keeper(keeping: SqlAcme, configuration: Configuration, clock: Clock) -> AcmeKeeper:
    return AcmeKeeper(
        configuration=configuration,
        keeping=keeping,
        ordering=AcmeOrdering(keeping=keeping, clock=clock),
        clock=clock,
        random=SystemRandom().random,
    )


class _Neighbour:
    """A server that answers to the gateway alone; of this one only its health is asked."""

    def __init__(self, settings: GatewaySettings, name: str, address: Address) -> None:
        self.name = name
        self._session = PeerSession(Peer(name=name, address=address, home=settings.home, caller="gateway"))

    def health(self, *, timeout: float) -> PeerAnswer:
        return self._session.get("/health", timeout=timeout)
