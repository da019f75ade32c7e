"""Admission without a worker: a request, what is known, and the reason for which it is refused."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding

from gateway.admission.admit import Admission, admit
from gateway.admission.refusal import Refusal
from gateway.admission.request import Connection, Leaf, Request, TlsFacts
from gateway.admission.tokens import AccessToken
from gateway.dpop.rule import DEFAULT_RULE
from gateway.policies.matching import RouteTable
from gateway.policies.model import Listener
from gateway.register.model import AuthMethod, Client, ClientProfile, Tpp, TppStatus
from gateway.trust.judgement import Judge
from gateway.trust.rules import Method, Profile, RevocationRules, StoreRules
from gateway.trust.snapshot import TrustSnapshot
from psd2.thumbprints import sha256_hex
from tests.support.deployments import deployment
from tests.support.pki import ALL_ROLES, NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.policies.model import Route
    from tests.support.pki import Authority, Issued

TOKEN = "a-good-token"
CLIENT = "client-1"
_Value = TypeVar("_Value")


class Remembered(Generic[_Value]):
    """What is known already; everything else is known not to be."""

    def __init__(self, entries: dict[str, _Value]) -> None:
        self.entries = entries

    def known(self, key: str) -> _Value | None:
        return self.entries.get(key)


class Known:
    """`Knowledge`, as far as `admit` asks it: one TPP with a client and a token, routes, and who judges by which store."""

    def __init__(self, routes: Iterable[Route], **stores: Judge) -> None:
        self.routes = RouteTable(routes)
        self.stores = stores
        self.tpps = Remembered({NUMBER: tpp()})
        self.clients = Remembered({CLIENT: client()})
        self.certificate_holders: Remembered[tuple[str, ...]] = Remembered({})
        self.tokens: Remembered[AccessToken] = Remembered({})
        self.proofs = DEFAULT_RULE

    def judge_of(self, store: str) -> Judge:
        return self.stores[store]

    def issue(self, *, thumbprint: str, scope: str = "AIS:1", token: str = TOKEN) -> None:
        """Let a token be known."""
        sha256 = hashlib.sha256(token.encode()).hexdigest()
        self.tokens.entries[sha256] = AccessToken(
            sha256=sha256,
            client_id=CLIENT,
            authorisation_number=NUMBER,
            scope=scope,
            subject=None,
            thumbprint=thumbprint,
            expires_at=time.time() + 600,
            revoked_at=None,
        )


def knowing(route: dict[str, Any] | None = None, *, judge: Judge, **fields: Any) -> Known:
    """Return what is known of one deployment with the route `GET /things`; `route` is what that says itself."""
    return Known(deployment({"path": "/things", "methods": ["GET"]} | (route or {}), **fields).routes, tpp=judge)


def judge_by(*authorities: Authority, intermediates: Iterable[Authority] = (), profile: Profile = Profile.PSD2) -> Judge:
    """Return the judge of a store with these anchors and intermediates, which asks nobody about revocation."""
    snapshot = TrustSnapshot(
        anchors=tuple(each.certificate for each in authorities),
        intermediates=tuple(each.certificate for each in intermediates),
        crls={},
    )
    return Judge(snapshot, StoreRules(profile=profile, revocation=RevocationRules(method=Method.NONE)))


def admitted(known: Known, asked: Request) -> Admission:
    """Return what was established; raises `Refusal`."""
    admission = Admission()
    admit(asked, known, time.time(), admission)  # type: ignore[arg-type]
    return admission


def refusal(known: Known, asked: Request) -> Refusal:
    """Return the refusal of a request that must not pass."""
    try:
        admitted(known, asked)
    except Refusal as refused:
        return refused
    raise AssertionError(f"{asked.method} {asked.path} was admitted")


def asking(
    path: str = "/things",
    *,
    certificate: Issued | None = None,
    token: str | None = None,
    address: str = "192.0.2.1",
    method: str = "GET",
    host: str = "localhost",
    server_name: str | None = "localhost",
    listener: Listener = Listener.EDGE,
) -> Request:
    """Return a request of the TPPs' listener."""
    tls = TlsFacts(version="TLSv1.3", cipher="", resumed=False, server_name=server_name)
    leaf = Leaf(certificate.der) if certificate else None
    return Request(
        connection=Connection(listener=listener, address=address, tls=tls, leaf=leaf),
        id="1",
        method=method,
        path=path,
        query=b"",
        host=host,
        authorization=b"Bearer " + token.encode() if token else None,
        tpp_request_id=None,
    )


def tpp() -> Tpp:
    return Tpp(
        authorisation_number=NUMBER,
        name="T",
        country="DE",
        nca_id="DE-BAFIN",
        nca_name="BaFin",
        roles=ALL_ROLES,
        status=TppStatus.ACTIVE,
    )


def client() -> Client:
    return Client(
        client_id=CLIENT,
        authorisation_number=NUMBER,
        name="C",
        redirect_uris=(),
        profile=ClientProfile.BERLIN,
        token_endpoint_auth_method=AuthMethod.TLS_CLIENT_AUTH,
    )


def sha256_of(authority: Authority) -> str:
    """Return how allow-lists name an authority."""
    return sha256_hex(authority.certificate.public_bytes(Encoding.DER))
