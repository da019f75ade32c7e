"""The order of the checks: a request wrong in several ways is refused for the first of them."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.admission import standing
from gateway.admission.admit import Admission
from gateway.admission.grounds import GROUNDS
from gateway.admission.knowledge import Knowledge
from gateway.admission.memory import NotLoaded
from gateway.admission.refusal import Refusal
from gateway.admission.request import Connection, Leaf, Request, TlsFacts
from gateway.admission.stages import Stage
from gateway.admission.tokens import AccessToken
from gateway.changes.kinds import Change
from gateway.config import GatewaySettings
from gateway.policies.model import Listener
from gateway.register.model import AuthMethod, Client, ClientProfile, Tpp, TppStatus
from gateway.trust.snapshot import CrlInForce, TrustSnapshot
from psd2.roles import PspRole
from psd2.thumbprints import sha256_hex
from tests.support.deployments import routes_of, shipped_routes
from tests.support.pki import NUMBER, Authority, Issued

if TYPE_CHECKING:
    from collections.abc import Sequence

DEPLOYMENT = """
[deployments.accounts]
listener = "edge"
upstream = "bank"
mtls = "required"
errors = "xs2a"

[[deployments.accounts.routes]]
path = "/v1/accounts"
methods = ["GET"]
scopes = ["AIS"]
token = "if_presented"
"""
ROOT = Authority()
QWAC = ROOT.qwac()
TOKEN = "a-good-token"


class Database:
    """What the edge reads, in memory."""

    def __init__(self) -> None:
        self.tpps = {NUMBER: _tpp(TppStatus.ACTIVE)}
        self.clients = {"client-1": _client()}
        self.tokens = {hashlib.sha256(TOKEN.encode()).hexdigest(): _token(QWAC)}
        self.blocked: frozenset[str] = frozenset()
        self.revoked: frozenset[int] = frozenset()
        self.changes: list[Change] = []
        self.look_ups = 0

    def newest_position(self) -> int:
        return len(self.changes)

    def changes_after(self, position: int, *, limit: int) -> Sequence[Change]:
        return self.changes[position : position + limit]

    def token(self, sha256: str) -> AccessToken | None:
        self.look_ups += 1
        return self.tokens.get(sha256)

    def tpp(self, authorisation_number: str) -> Tpp | None:
        self.look_ups += 1
        return self.tpps.get(authorisation_number)

    def client(self, client_id: str) -> Client | None:
        self.look_ups += 1
        return self.clients.get(client_id)

    def certificate_holders(self, _sha256: str) -> tuple[str, ...]:
        self.look_ups += 1
        return ()

    def trust_snapshot(self, _store: str) -> TrustSnapshot:
        crl = CrlInForce(number=1, this_update=0, next_update=time.time() + 60, revoked=self.revoked)
        return TrustSnapshot(
            anchors=(ROOT.certificate,), crls={sha256_hex(ROOT.name.public_bytes()): crl}, blocked=self.blocked
        )

    def tell(self, kind: str, key: str) -> None:
        self.changes.append(Change(len(self.changes) + 1, kind, key))


def _tpp(status: TppStatus) -> Tpp:
    return Tpp(
        authorisation_number=NUMBER,
        name="T",
        country="DE",
        nca_id="DE-BAFIN",
        nca_name="BaFin",
        roles=frozenset({PspRole.AI, PspRole.PI, PspRole.IC}),
        status=status,
    )


def _client() -> Client:
    return Client(
        client_id="client-1",
        authorisation_number=NUMBER,
        name="C",
        redirect_uris=(),
        profile=ClientProfile.BERLIN,
        token_endpoint_auth_method=AuthMethod.TLS_CLIENT_AUTH,
    )


def _token(certificate: Issued, scope: str = "AIS:1") -> AccessToken:
    return AccessToken(
        sha256=hashlib.sha256(TOKEN.encode()).hexdigest(),
        client_id="client-1",
        authorisation_number=NUMBER,
        scope=scope,
        subject=None,
        thumbprint=certificate.thumbprint,
        expires_at=time.time() + 60,
        revoked_at=None,
    )


def request(
    path: str = "/v1/accounts",
    *,
    certificate: Issued | None = QWAC,
    method: str = "GET",
    token: str | None = TOKEN,
    host: str = "localhost",
    server_name: str | None = "localhost",
) -> Request:
    tls = TlsFacts(version="TLSv1.3", cipher="", resumed=False, server_name=server_name)
    return Request(
        connection=Connection(listener=Listener.EDGE, address="", tls=tls, leaf=Leaf(certificate.der) if certificate else None),
        id="1",
        method=method,
        path=path,
        query=b"",
        host=host,
        authorization=b"Bearer " + token.encode() if token else None,
        tpp_request_id=None,
    )


async def admitted(database: Database, asked: Request) -> Admission:
    knowledge = Knowledge(source=database, routes=shipped_routes(), settings=GatewaySettings(), monotonic=time.monotonic)
    await knowledge.start()
    return await admitted_by(knowledge, asked)


async def admitted_by(knowledge: Knowledge, asked: Request) -> Admission:
    for _ in range(8):
        try:
            return standing.admitted(asked, knowledge, time.time(), Admission())
        except NotLoaded as missing:
            await missing.load()
    raise AssertionError


def reason(database: Database, asked: Request) -> str:
    with pytest.raises(Refusal) as caught:
        asyncio.run(admitted(database, asked))
    return caught.value.reason


def test_a_good_request_is_admitted_with_all_that_was_established() -> None:
    """Route, certificate, TPP, token."""
    admission = asyncio.run(admitted(Database(), request()))
    assert admission.route is not None
    assert admission.route.template == "/v1/accounts"
    assert admission.certificate is not None
    assert admission.tpp is not None
    assert admission.token is not None


def test_faults_are_named_in_their_order() -> None:
    """Each request has the fault of its line and all those below it."""
    database = Database()
    database.tpps.clear()
    foreign = Authority("Foreign").qwac(roles=frozenset({PspRole.IC}))
    good_but_poor = ROOT.qwac(roles=frozenset({PspRole.IC}))
    expected = [
        (request("/v1//x", certificate=None, token=None, host="", server_name="other"), "http.target"),
        (request("/v1/x", certificate=None, token=None, host="", server_name="other"), "http.host"),
        (request("/v1/x", certificate=None, token=None, server_name="other"), "tls.sni_host_mismatch"),
        (request("/v1/x", certificate=None, token=None), "route.unknown"),
        (request(method="PUT", certificate=None, token=None), "route.method"),
        (request(certificate=None, token=None), "mtls.missing"),
        (request(certificate=foreign, token=None), "mtls.untrusted"),
        (request(certificate=good_but_poor, token=None), "tpp.unknown"),
    ]
    assert [reason(database, asked) for asked, _ in expected] == [name for _, name in expected]


def test_the_stages_stand_in_the_order_of_the_checks() -> None:
    """Each request has the fault of its line and those below it, up to the register: the log must not say otherwise."""
    database = Database()
    database.tpps.clear()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    plain, late = ROOT.plain(), ROOT.qwac(statements=b"", not_before=yesterday - timedelta(days=1), not_after=yesterday)
    database.blocked = frozenset({late.sha256})
    database.revoked = frozenset({late.certificate.serial_number, plain.certificate.serial_number})

    reasons = [reason(database, request("/v1//x", certificate=None)), reason(database, request("/v1/x", certificate=None))]
    reasons += [reason(database, request(certificate=None, token=None)), reason(database, request(certificate=late))]
    database.blocked = frozenset()
    reasons += [reason(database, request(certificate=late)), reason(database, request(certificate=plain))]
    database.revoked = frozenset()
    reasons += [reason(database, request(certificate=plain)), reason(database, request(token=None))]
    database.tpps[NUMBER] = _tpp(TppStatus.ACTIVE)
    reasons += [reason(database, request(token="nobodys")), reason(database, request(certificate=ROOT.qwac()))]

    stages = [GROUNDS[each].stage for each in reasons]
    asked = ["request", "route", "presented", "block_list", "certificate", "revocation", "qwac", "register", "token", "binding"]
    assert stages == asked
    assert stages == sorted(stages, key=lambda stage: stage.place)


def test_faults_of_the_token_come_before_those_of_the_role_and_the_scope() -> None:
    """Binding, owner, role, scope."""
    database = Database()
    poor = ROOT.qwac(roles=frozenset({PspRole.IC}))
    key = hashlib.sha256(TOKEN.encode()).hexdigest()
    assert reason(database, request(certificate=poor, token="nobodys")) == "token.unknown"
    assert reason(database, request(certificate=poor)) == "token.cnf_mismatch"
    database.tokens[key] = _token(poor, scope="PIS:1")
    database.clients.clear()
    assert reason(database, request(certificate=poor)) == "token.client_inactive"
    database.clients["client-1"] = _client()
    assert reason(database, request(certificate=poor)) == "psd2.role"
    database.tokens[key] = _token(QWAC, scope="PIS:1")
    assert reason(database, request()) == "token.scope"
    assert Stage.TOKEN.place < Stage.BINDING.place < Stage.ROLE.place < Stage.SCOPE.place


def test_without_a_token_the_bank_decides_where_the_route_says_so() -> None:
    """Nothing is established about a token then; one that is presented is judged as ever, and no Bearer is none."""
    admission = asyncio.run(admitted(Database(), request(token=None)))
    assert (admission.token, admission.tpp is not None) == (None, True)

    basic = request()
    basic.authorization = b"Basic YTpi"
    assert reason(Database(), basic) == "token.malformed"
    assert reason(Database(), request(token="nobodys")) == "token.unknown"


def test_without_a_token_nothing_passes_where_the_route_does_not_say_so() -> None:
    """The default is closed."""
    text = DEPLOYMENT.replace('token = "if_presented"', "")
    knowledge = Knowledge(source=Database(), routes=routes_of(text), settings=GatewaySettings(), monotonic=time.monotonic)

    async def refused() -> str:
        await knowledge.start()
        with pytest.raises(Refusal) as caught:
            await admitted_by(knowledge, request(token=None))
        return caught.value.reason

    assert asyncio.run(refused()) == "token.missing"


def test_a_role_that_the_register_does_not_know_of_is_not_granted() -> None:
    """A certificate says what was so when it was issued; a role since withdrawn, or never had, opens nothing."""
    database = Database()
    database.tpps[NUMBER] = replace(database.tpps[NUMBER], roles=frozenset({PspRole.PI}))

    assert reason(database, request()) == "psd2.role"


def test_a_second_request_looks_nothing_up() -> None:
    """TPP, token and client are remembered."""

    async def run() -> None:
        database = Database()
        knowledge = Knowledge(source=database, routes=shipped_routes(), settings=GatewaySettings(), monotonic=time.monotonic)
        await knowledge.start()
        await admitted_by(knowledge, request())
        assert database.look_ups == 3
        await admitted_by(knowledge, request())
        assert database.look_ups == 3

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["tpp", "client", "token", "block_list"])
def test_what_the_feed_tells_of_is_looked_up_anew_and_nothing_else(kind: str) -> None:
    """A change of one thing, and its refusal at the next request."""

    async def run() -> str:
        database = Database()
        knowledge = Knowledge(source=database, routes=shipped_routes(), settings=GatewaySettings(), monotonic=time.monotonic)
        await knowledge.start()
        asked = request()
        await admitted_by(knowledge, asked)
        key = hashlib.sha256(TOKEN.encode()).hexdigest()
        if kind == "tpp":
            database.tpps[NUMBER] = _tpp(TppStatus.BLOCKED)
            database.tell(kind, NUMBER)
        elif kind == "client":
            database.clients.clear()
            database.tell(kind, "client-1")
        elif kind == "token":
            database.tokens.clear()
            database.tell(kind, key)
        else:
            database.blocked = frozenset({QWAC.sha256})
            database.tell(kind, QWAC.sha256)
        await knowledge.feed._read_once()
        await asyncio.sleep(0.1)
        looked_up = database.look_ups
        with pytest.raises(Refusal) as caught:
            await admitted_by(knowledge, asked)
        assert database.look_ups - looked_up <= 1
        return caught.value.reason

    expected = {
        "tpp": "mtls.blocked",
        "client": "token.client_inactive",
        "token": "token.unknown",
        "block_list": "mtls.blocked",
    }
    assert asyncio.run(run()) == expected[kind]


class Watching:
    """Hears where trust may have shrunk."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def trust_changed(self) -> None:
        self.heard.append("trust")

    def tpp_barred(self, authorisation_number: str) -> None:
        self.heard.append(authorisation_number)


def test_watchers_hear_of_changed_trust_and_barred_tpps_only() -> None:
    """A TPP that was merely renamed keeps its connections."""

    async def run() -> list[str]:
        database, watching = Database(), Watching()
        knowledge = Knowledge(source=database, routes=shipped_routes(), settings=GatewaySettings(), monotonic=time.monotonic)
        await knowledge.start()
        knowledge.watch(watching)
        for change, key in (("tpp", NUMBER), ("tpp", "PSDDE-BAFIN-2"), ("crl", "tpp"), ("token", "x"), ("client", "y")):
            database.tell(change, key)
        await knowledge.feed._read_once()
        await asyncio.sleep(0.1)
        return sorted(watching.heard)

    assert asyncio.run(run()) == ["PSDDE-BAFIN-2", "trust"]
