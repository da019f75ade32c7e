"""Wires the authorization server: settings, stores, clock, keys, the bank."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from chassis.peers import Peer, PeerSession
from chassis.sealing import KeyFile, Seal
from gateway.database import open_gateway_engine
from gateway.documents import document_seal
from gateway.dpop.rule import proof_rule
from gateway.limits.store import SqlAccountStore
from gateway.oauth.app import AuthorizationServices, create_app
from gateway.oauth.authorization import Authorization
from gateway.oauth.authorization_request import KNOWN_PARAMETERS
from gateway.oauth.authorization_response import Responses
from gateway.oauth.bank_client import HttpBank
from gateway.oauth.ciba.allowance import AskAllowance
from gateway.oauth.ciba.ping import BOUNDS, Notifier, Pings
from gateway.oauth.ciba.reading import SIGNED_REQUESTS
from gateway.oauth.ciba.service import Backchannel
from gateway.oauth.ciba.store import SqlBackchannelStore
from gateway.oauth.clients.assertions import Assertions
from gateway.oauth.clients.authentication import ClientAuthentication
from gateway.oauth.clients.published_certificates import PublishedCertificates
from gateway.oauth.clients.store import SqlUsedAssertions
from gateway.oauth.dpop.key_binding import KeyBinding
from gateway.oauth.grant_management.service import GrantManagement
from gateway.oauth.grant_management.store import SqlGrantStore
from gateway.oauth.jose.client_key_wiring import Calling, client_keys
from gateway.oauth.jose.introspection import SignedIntrospection
from gateway.oauth.jose.key_store import SqlSigningKeys
from gateway.oauth.jose.request_object import RequestObjects, SignedKind
from gateway.oauth.jose.rotation import Schedule
from gateway.oauth.jose.server_keys import ServerKeys
from gateway.oauth.jose.store import SqlPublishedKeys
from gateway.oauth.lanes import Lanes
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
from psd2.clock import SystemClock

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import Engine

    from gateway.config import GatewaySettings
    from gateway.oauth.bank import Bank
    from psd2.clock import Clock

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
    services = authorization_services(settings, engine=engine, bank=bank, clock=clock, server_keys=keys)
    services.certificates.start()
    return create_app(services)


def authorization_services(
    settings: GatewaySettings, *, engine: Engine, bank: Bank, clock: Clock, server_keys: ServerKeys
) -> AuthorizationServices:
    """Wire what the authorization server is made of."""
    wiring = _Wiring(settings, engine, bank, clock, server_keys)
    authorization = wiring.authorization()
    issuer = settings.front_url
    return AuthorizationServices(
        authorization=authorization,
        protocol=wiring.protocol(),
        pushing=PushEndpoint(
            authorization=authorization, signed=wiring.request_objects(SignedKind(known=KNOWN_PARAMETERS)), pushed=wiring.pushed
        ),
        interactions=PsuInteractions(authorization=authorization, bank=bank, issuer=issuer),
        grants=wiring.grants,
        server_keys=server_keys,
        certificates=published_certificates(settings, engine=engine, clock=clock),
        registration=Registration(wiring.register),
        statements=SoftwareStatements(read_directories(settings.software_directories), clock),
        responses=wiring.responses,
        introspection=SignedIntrospection(keys=server_keys, issuer=issuer, clock=clock),
        issuer=issuer,
        edge_url=settings.edge_url,
        authorization_seconds=settings.authorization_seconds,
        sandbox_mode=settings.sandbox_mode,
    )


class _Wiring:
    """What several parts of the authorization server share, and the parts that are made of it."""

    def __init__(self, settings: GatewaySettings, engine: Engine, bank: Bank, clock: Clock, server_keys: ServerKeys) -> None:
        self._settings, self._engine, self._bank, self._clock = settings, engine, bank, clock
        self._issuer = settings.front_url
        self._lifetimes = _lifetimes(settings)
        self._store = SqlOAuthStore(engine)
        # Of proofs that come to the edge, the edge keeps count where limits are kept; what is counted here never comes there.
        self._accounts = SqlAccountStore(engine, lambda: clock.now().timestamp())
        self._published = client_keys(settings, threads=settings.authorization_threads, engine=engine, clock=clock)
        self.register = Register(store=SqlRegisterStore(engine), clock=clock, internal_hosts=settings.client_hosts)
        self.responses = Responses(issuer=self._issuer, signer=server_keys, clock=clock)
        self.grants = GrantManagement(store=SqlGrantStore(engine), tokens=self._store, resources=Resources(bank), clock=clock)
        self.pushed = PushedRequests(
            store=SqlPushedRequests(engine),
            register=self.register,
            clock=clock,
            lifetime=self._lifetimes.pushed_request,
        )

    def authorization(self) -> Authorization:
        return Authorization(
            responses=self.responses,
            register=self.register,
            pushed=self.pushed,
            store=self._store,
            grants=self.grants,
            bank=self._bank,
            clock=self._clock,
            lifetimes=self._lifetimes,
            issuer=self._issuer,
            location=self._settings.edge_url,
        )

    def protocol(self) -> OAuthProtocol:
        used = SqlUsedAssertions(self._engine)
        assertions = Assertions(keys=self._published, used=used, clock=self._clock, issuer=self._issuer)
        return OAuthProtocol(
            tokens=Tokens(store=self._store, grants=self.grants, clock=self._clock, lifetimes=self._lifetimes),
            keys=KeyBinding(store=self._accounts, rule=proof_rule(self._settings), clock=self._clock),
            clients=ClientAuthentication(register=self.register, keys=self._published, assertions=assertions),
            backchannel=self._backchannel(),
            issuer=self._issuer,
        )

    def request_objects(self, kind: SignedKind) -> RequestObjects:
        return RequestObjects(keys=self._published, issuer=self._issuer, clock=self._clock, kind=kind)

    def _backchannel(self) -> Backchannel:
        return Backchannel(
            store=SqlBackchannelStore(self._engine),
            codes=self._store,
            bank=self._bank,
            resources=Resources(self._bank),
            grants=self.grants,
            allowance=AskAllowance(
                store=self._accounts,
                asks=self._settings.backchannel_asks,
                seconds=self._settings.backchannel_ask_seconds,
            ),
            pings=Pings(document_seal(self._settings)),
            signed=self.request_objects(SIGNED_REQUESTS),
            clock=self._clock,
            lifetimes=self._lifetimes,
            location=self._settings.edge_url,
        )


def notifier(settings: GatewaySettings, *, engine: Engine, bank: Bank, clock: Clock) -> Notifier:
    """Wire what tells clients that a PSU has decided."""
    calling = Calling(settings)
    return Notifier(
        store=SqlBackchannelStore(engine),
        bank=bank,
        clients=SqlRegisterStore(engine),
        pings=Pings(document_seal(settings)),
        public=calling.public,
        internal=calling.internal,
        internal_hosts=settings.client_hosts,
        lanes=Lanes(BOUNDS),
        clock=clock,
    )


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


def published_certificates(settings: GatewaySettings, *, engine: Engine, clock: Clock) -> PublishedCertificates:
    """Wire what follows the certificates that clients publish."""
    return PublishedCertificates(
        store=SqlRegisterStore(engine),
        keys=client_keys(settings, threads=settings.authorization_threads, engine=engine, clock=clock),
        published=SqlPublishedKeys(engine),
        clock=clock,
    )


def pruner(settings: GatewaySettings, engine: Engine, clock: Clock) -> Pruner:
    """Return what deletes expired codes and tokens."""
    return Pruner(
        store=SqlOAuthStore(engine),
        clock=clock,
        retention=timedelta(seconds=settings.retention_seconds),
        every=timedelta(seconds=settings.prune_seconds),
    )


def _lifetimes(settings: GatewaySettings) -> Lifetimes:
    return Lifetimes(
        access_token=timedelta(seconds=settings.access_token_seconds),
        refresh_token=timedelta(seconds=settings.refresh_token_seconds),
        code=timedelta(seconds=settings.code_seconds),
        authorization=timedelta(seconds=settings.authorization_seconds),
        pushed_request=timedelta(seconds=settings.pushed_request_seconds),
    )
