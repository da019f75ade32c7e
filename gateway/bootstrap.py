"""Wires the gateway's Flask applications: settings, stores, clock, the bank."""

from __future__ import annotations

import ssl
from datetime import timedelta
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from chassis.peers import Peer, PeerSession
from chassis.sealing import KeyFile, Seal
from gateway.acme.keeper import AcmeKeeper
from gateway.acme.ordering import AcmeOrdering
from gateway.acme.store import SqlAcme
from gateway.admin.app import create_app as create_admin_app
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
from gateway.dpop.rule import proof_rule
from gateway.explain.desk import ExplainDesk
from gateway.explain.standing_knowledge import StandingKnowledge
from gateway.kinds import KINDS
from gateway.limits.blocks import Blocks
from gateway.limits.store import SqlAccountStore
from gateway.oauth.app import AuthorizationServices, create_app
from gateway.oauth.authorization import Authorization
from gateway.oauth.authorization_request import KNOWN_PARAMETERS
from gateway.oauth.authorization_response import Responses
from gateway.oauth.bank_client import HttpBank
from gateway.oauth.ciba.ping import Notifier, Pings
from gateway.oauth.ciba.reading import PARAMETERS as CIBA_PARAMETERS
from gateway.oauth.ciba.service import Backchannel
from gateway.oauth.ciba.store import SqlBackchannelStore
from gateway.oauth.clients.assertions import Assertions
from gateway.oauth.clients.authentication import ClientAuthentication
from gateway.oauth.clients.store import SqlUsedAssertions
from gateway.oauth.dpop.key_binding import KeyBinding
from gateway.oauth.grant_management.service import GrantManagement
from gateway.oauth.grant_management.store import SqlGrantStore
from gateway.oauth.jose.administration import KeyAdministration
from gateway.oauth.jose.client_keys import ClientKeys
from gateway.oauth.jose.introspection import SignedIntrospection
from gateway.oauth.jose.key_fetching import KeyFetcher
from gateway.oauth.jose.key_store import SqlSigningKeys
from gateway.oauth.jose.request_object import RequestObjects
from gateway.oauth.jose.rotation import Schedule
from gateway.oauth.jose.server_keys import ServerKeys
from gateway.oauth.jose.store import SqlPublishedKeys
from gateway.oauth.model import Lifetimes
from gateway.oauth.par.endpoint import PushEndpoint
from gateway.oauth.par.service import PushedRequests
from gateway.oauth.par.store import SqlPushedRequests
from gateway.oauth.protocol import OAuthProtocol
from gateway.oauth.pruning import Pruner
from gateway.oauth.psu_interactions import PsuInteractions
from gateway.oauth.rar.resources import Resources
from gateway.oauth.registration.service import Registration
from gateway.oauth.registration.statements import SoftwareStatements, read_directories
from gateway.oauth.store import SqlOAuthStore
from gateway.oauth.tokens import Tokens
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
    import requests
    from flask import Flask
    from sqlalchemy import Engine

    from chassis.addresses import Address
    from chassis.home import Home
    from gateway.certificates.expiry import Watched
    from gateway.config import GatewaySettings
    from gateway.oauth.bank import Bank
    from psd2.clock import Clock

_ANSWERS_KEPT: Final = timedelta(days=30)
# A set serves for an hour (`gateway.oauth.jose.published_keys`); a client may name a new address as often as it likes.
_KEY_SETS_KEPT: Final = timedelta(hours=2)
_DECIDED_KEPT: Final = timedelta(hours=1)


def authorization_app(settings: GatewaySettings) -> Flask:
    """Return the authorization server, pruning in the background."""
    engine = open_gateway_engine(settings.database_url, threads=settings.authorization_threads)
    clock = SystemClock()
    peer = Peer(name="bank", address=settings.bank_address, home=settings.home, caller="gateway")
    bank = HttpBank(PeerSession(peer), front_url=settings.front_url)
    pruner(settings, engine, clock).start()
    Pruner(store=SqlPublishedKeys(engine), clock=clock, retention=_KEY_SETS_KEPT, every=timedelta(hours=1)).start()
    Pruner(store=SqlBackchannelStore(engine), clock=clock, retention=_DECIDED_KEPT, every=timedelta(minutes=1)).start()
    notifier(settings, engine=engine, bank=bank, clock=clock).start()
    keys = server_keys(settings, engine=engine, clock=clock)
    keys.start()
    return create_app(authorization_services(settings, engine=engine, bank=bank, clock=clock, server_keys=keys))


def authorization_services(
    settings: GatewaySettings, *, engine: Engine, bank: Bank, clock: Clock, server_keys: ServerKeys
) -> AuthorizationServices:
    """Wire what the authorization server is made of."""
    register = Register(store=SqlRegisterStore(engine), clock=clock)
    store = SqlOAuthStore(engine)
    lifetimes = _lifetimes(settings)
    issuer = settings.front_url
    pushed = PushedRequests(store=SqlPushedRequests(engine), register=register, clock=clock, lifetime=lifetimes.pushed_request)
    grants = GrantManagement(store=SqlGrantStore(engine), tokens=store, resources=Resources(bank), clock=clock)
    responses = Responses(issuer=issuer, signer=server_keys, clock=clock)
    authorization = Authorization(
        responses=responses,
        register=register,
        pushed=pushed,
        store=store,
        grants=grants,
        bank=bank,
        clock=clock,
        lifetimes=lifetimes,
        issuer=issuer,
        location=settings.edge_url,
    )
    tokens = Tokens(store=store, grants=grants, clock=clock, lifetimes=lifetimes)
    published = client_keys(settings, engine=engine, clock=clock)
    assertions = Assertions(keys=published, used=SqlUsedAssertions(engine), clock=clock, issuer=issuer)
    clients = ClientAuthentication(register=register, keys=published, assertions=assertions)
    signed = RequestObjects(keys=published, issuer=issuer, clock=clock, known=KNOWN_PARAMETERS)
    backchannel = Backchannel(
        store=SqlBackchannelStore(engine),
        codes=store,
        bank=bank,
        resources=Resources(bank),
        pings=Pings(document_seal(settings)),
        signed=RequestObjects(keys=published, issuer=issuer, clock=clock, known=CIBA_PARAMETERS),
        clock=clock,
        lifetimes=lifetimes,
        location=settings.edge_url,
    )
    keys = _key_binding(settings, engine=engine, clock=clock)
    return AuthorizationServices(
        authorization=authorization,
        protocol=OAuthProtocol(tokens=tokens, keys=keys, clients=clients, backchannel=backchannel, issuer=issuer),
        pushing=PushEndpoint(authorization=authorization, signed=signed, pushed=pushed),
        interactions=PsuInteractions(authorization=authorization, bank=bank, issuer=issuer),
        grants=grants,
        server_keys=server_keys,
        registration=Registration(register),
        statements=SoftwareStatements(read_directories(settings.software_directories), clock),
        responses=responses,
        introspection=SignedIntrospection(keys=server_keys, issuer=issuer, clock=clock),
        issuer=issuer,
        edge_url=settings.edge_url,
        authorization_seconds=settings.authorization_seconds,
        sandbox_mode=settings.sandbox_mode,
    )


def notifier(settings: GatewaySettings, *, engine: Engine, bank: Bank, clock: Clock) -> Notifier:
    """Wire what tells clients that a PSU has decided."""
    return Notifier(
        store=SqlBackchannelStore(engine),
        bank=bank,
        clients=SqlRegisterStore(engine),
        pings=Pings(document_seal(settings)),
        public=Fetcher,
        internal=lambda: Fetcher(_own_roots(settings.home)),
        internal_hosts=settings.client_hosts,
        clock=clock,
    )


def _key_binding(settings: GatewaySettings, *, engine: Engine, clock: Clock) -> KeyBinding:
    # Of proofs that come to the edge, the edge keeps count where limits are kept; these here never come there.
    used = SqlAccountStore(engine, lambda: clock.now().timestamp())
    return KeyBinding(store=used, rule=proof_rule(settings), clock=clock)


def server_keys(settings: GatewaySettings, *, engine: Engine, clock: Clock) -> ServerKeys:
    """Wire what the authorization server signs with."""
    return ServerKeys(
        store=SqlSigningKeys(engine),
        seal=Seal(KeyFile(settings.home.signing_key)),
        schedule=Schedule(
            period=timedelta(seconds=settings.signing_key_seconds), ahead=timedelta(seconds=settings.signing_key_ahead_seconds)
        ),
        clock=clock,
    )


def client_keys(settings: GatewaySettings, *, engine: Engine, clock: Clock) -> ClientKeys:
    """Wire what knows the clients' keys."""
    source = KeyFetcher(
        public=Fetcher, internal=lambda: Fetcher(_own_roots(settings.home)), internal_hosts=settings.client_hosts
    )
    return ClientKeys(store=SqlPublishedKeys(engine), source=source, clock=clock)


def _own_roots(home: Home) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=home.trust_bundle)


def pruner(settings: GatewaySettings, engine: Engine, clock: Clock) -> Pruner:
    """Return what deletes expired codes and tokens."""
    return Pruner(
        store=SqlOAuthStore(engine),
        clock=clock,
        retention=timedelta(seconds=settings.retention_seconds),
        every=timedelta(seconds=settings.prune_seconds),
    )


def admin_app(settings: GatewaySettings) -> Flask:
    """Return the control API."""
    engine = open_gateway_engine(settings.database_url, threads=settings.admin_threads + 1)  # one ships audit records
    clock = SystemClock()
    audit_records = SqlAuditRecords(engine)
    retention = Retention(age=timedelta(days=settings.audit_days), most_rows=settings.audit_rows)
    shipper = Shipper(settings.audit_path, audit_records, clock, retention)
    shipper.start()
    configuration = Configuration(kinds=KINDS, store=document_store(engine, settings), clock=clock)
    stores = StandingStores(lambda: configuration.standing(TRUST_STORES.name))
    trust = Trust(store=SqlTrustStore(engine, RelaysApart().require), clock=clock, described=stores.read)
    points = SqlCrlPoints(engine)
    Pruner(store=SqlOcspAnswers(engine), clock=clock, retention=_ANSWERS_KEPT, every=timedelta(hours=1)).start()
    kept = timedelta(days=settings.admin_audit_days)
    Pruner(store=AdminAuditPruning(engine, clock), clock=clock, retention=kept, every=timedelta(hours=1)).start()
    CrlKeeper(points=points, trust=trust, fetcher=Fetcher(), stores=stores.read, clock=clock).start()

    def watched() -> list[Watched]:
        return watched_certificates(settings.home, configuration.snapshot(), trust.authorities)

    acme = SqlAcme(engine, document_seal(settings))
    _acme_keeper(acme, configuration, clock).start()
    ExpiryWatch(engine=engine, watched=watched, clock=clock).start()
    return create_admin_app(
        register=Register(store=SqlRegisterStore(engine), clock=clock),
        trust=trust,
        crl_points=points,
        configuration=configuration,
        acme=acme,
        watched=watched,
        admin_audit=SqlAdminAudit(engine),
        blocks=Blocks(engine, clock, block_seconds=settings.brute_force_block_seconds),
        audit_folder=settings.audit_path,
        audit_records=audit_records,
        metrics_folder=settings.metrics_path,
        unshipped_bytes=lambda: shipper.unshipped_bytes,
        explain_desk=_explain_desk(settings, engine, configuration, clock),
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

    def health(self, *, timeout: float) -> requests.Response:
        return self._session.get("/health", timeout=timeout)


def _lifetimes(settings: GatewaySettings) -> Lifetimes:
    return Lifetimes(
        access_token=timedelta(seconds=settings.access_token_seconds),
        refresh_token=timedelta(seconds=settings.refresh_token_seconds),
        code=timedelta(seconds=settings.code_seconds),
        authorization=timedelta(seconds=settings.authorization_seconds),
        pushed_request=timedelta(seconds=settings.pushed_request_seconds),
    )
