"""A real edge for tests: gunicorn on free ports, its database and PKI, scripted upstreams, and clients on real sockets."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import ssl
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import insert

from chassis.addresses import PortTable
from chassis.files import write_private, write_public
from chassis.home import Home
from chassis.sql.database import migrate, open_engine
from gateway.register.model import Client, ClientProfile, Tpp, TppStatus
from gateway.register.store import SqlRegisterStore
from gateway.tables.oauth import access_tokens
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock
from psd2.ids import new_secret
from psd2.roles import PspRole
from tests.support.forked_server import ForkedServer
from tests.support.internal_home import InternalCa, internal_home
from tests.support.pki import NUMBER, Authority, Issued
from tests.support.platform import free_base_port
from tests.support.ports import wait_until
from tests.support.scripted_upstream import ScriptedUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

TIMEOUT_SECONDS = 60.0
CLIENT_ID = "client-1"
HOST = "localhost"
# A machine that stands still for a few seconds is no client, server or database that is gone; tests of a deadline set theirs.
_PATIENCE = {
    "GATEWAY_HANDSHAKE_SECONDS": "60",
    "GATEWAY_HEAD_SECONDS": "60",
    "GATEWAY_STALL_SECONDS": "120",
    "GATEWAY_UPSTREAM_CONNECT_SECONDS": "60",
    "GATEWAY_UPSTREAM_HEAD_SECONDS": "120",
    "GATEWAY_UPSTREAM_STALL_SECONDS": "120",
    "GATEWAY_STALE_SECONDS": "5",
}


@dataclass
class Answer:
    """An HTTP answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["tppMessages"][0]["code"])

    @property
    def reason(self) -> str:
        return str(self.json["reason"])


@dataclass
class Register:
    """Changes what the gateway knows, as its control API does."""

    engine: Engine
    trust: Trust
    store: SqlRegisterStore

    def tpp(self, number: str = NUMBER, *, status: TppStatus = TppStatus.ACTIVE) -> None:
        roles = frozenset({PspRole.AI, PspRole.PI, PspRole.IC})
        tpp = Tpp(
            authorisation_number=number,
            name="Test TPP",
            country="DE",
            nca_id="DE-BAFIN",
            nca_name="BaFin",
            roles=roles,
            status=status,
        )
        self.store.save_tpp(tpp, datetime.now(UTC))

    def client(self, client_id: str = CLIENT_ID, number: str = NUMBER, **metadata: Any) -> None:
        client = Client(
            client_id=client_id,
            authorisation_number=number,
            name="Test client",
            redirect_uris=("https://tpp.example/cb",),
            profile=ClientProfile.BERLIN,
            **metadata,
        )
        self.save(client)

    def save(self, client: Client, **changes: Any) -> None:
        kept = replace(client, **changes)
        self.store.change_client(kept.client_id, lambda _view: kept, datetime.now(UTC))

    def delete_client(self, client_id: str) -> None:
        self.store.delete_client(client_id, datetime.now(UTC))

    def token(
        self,
        certificate: Issued,
        *,
        number: str = NUMBER,
        client_id: str = CLIENT_ID,
        scope: str = "AIS:consent-1",
        lifetime_seconds: float = 600,
        revoked: bool = False,
        jkt: str | None = None,
    ) -> str:
        """Issue a token bound to `certificate`, or to a key."""
        token, now = new_secret(), time.time()
        row = {
            "sha256": hashlib.sha256(token.encode()).hexdigest(),
            "client_id": client_id,
            "authorisation_number": number,
            "scope": scope,
            "subject": "anna.weber",
            "thumbprint": "" if jkt else certificate.thumbprint,
            "jkt": jkt,
            "grant_id": "grant-1",
            "issued_at": now,
            "expires_at": now + lifetime_seconds,
            "revoked_at": now if revoked else None,
        }
        with self.engine.begin() as connection:
            connection.execute(insert(access_tokens).values(**row))
        return token


@dataclass
class EdgeUnderTest:
    """A running edge and all that stands around it."""

    home: Home
    ports: PortTable
    process: ForkedServer
    authority: Authority
    register: Register
    bank: ScriptedUpstream
    authorization: ScriptedUpstream
    portal: ScriptedUpstream
    qwac: Issued
    internal_authority: InternalCa
    command: list[str]
    environment: dict[str, str]
    crl_number: int = 1
    _written: dict[str, tuple[str, str]] = field(default_factory=dict)

    def context(
        self,
        certificate: Issued | None = None,
        *,
        version: ssl.TLSVersion | None = None,
    ) -> ssl.SSLContext:
        """Return a client's TLS set-up."""
        context = ssl.create_default_context(cafile=self.home.trust_bundle)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        if certificate is not None:
            key = hashlib.sha256(certificate.der).hexdigest()
            if key not in self._written:
                self._written[key] = certificate.write(self.home.path / "clients", key)
            context.load_cert_chain(*self._written[key])
        return context

    def connect(
        self,
        certificate: Issued | None = None,
        *,
        port: int | None = None,
        version: ssl.TLSVersion | None = None,
        server_name: str = HOST,
        session: ssl.SSLSession | None = None,
        context: ssl.SSLContext | None = None,
    ) -> ssl.SSLSocket:
        """Open a TLS connection to the edge listener or another."""
        plain = socket.create_connection(("127.0.0.1", port or self.ports.edge), timeout=TIMEOUT_SECONDS)
        context = context or self.context(certificate, version=version)
        return context.wrap_socket(plain, server_hostname=server_name, session=session)

    def get(
        self,
        path: str = "/v1/consents/1",
        *,
        certificate: Issued | None = None,
        token: str | None = None,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        port: int | None = None,
        version: ssl.TLSVersion | None = None,
    ) -> Answer:
        """Send one request over a new connection."""
        with self.connect(certificate, port=port, version=version) as connection:
            return self.over(connection, path, token=token, method=method, headers=headers, body=body)

    def over(
        self,
        connection: socket.socket,
        path: str = "/v1/consents/1",
        *,
        token: str | None = None,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send one request over an open connection."""
        lines = {"Host": HOST} | (headers or {})
        if token is not None:
            lines["Authorization"] = f"Bearer {token}"
        if body is not None:
            lines["Content-Length"] = str(len(body))
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection.sendall(head.encode("latin-1") + b"\r\n" + (body or b""))
        return read_answer(connection, method=method)

    def say(self, data: bytes, certificate: Issued | None = None, *, port: int | None = None) -> Answer:
        """Send these bytes and read one answer."""
        with self.connect(certificate or self.qwac, port=port) as connection:
            connection.sendall(data)
            return read_answer(connection)

    def records(self, **wanted: object) -> list[dict[str, Any]]:
        """Return the audit records with these values, in no order."""
        lines = [line for path in self.home.log.glob("audit-*.jsonl") for line in path.read_text().splitlines()]
        records = [json.loads(line) for line in lines]
        return [record for record in records if all(record.get(key) == value for key, value in wanted.items())]

    def record_of(self, answer: Answer) -> dict[str, Any]:
        """Return the one audit record of an answer."""
        (record,) = self.records(request_id=answer.headers["x-sandbox-request"])
        return record

    def revoke(self, *certificates: Issued) -> None:
        """Publish a CRL with these certificates."""
        self.crl_number += 1
        crl = self.authority.crl(*certificates, number=self.crl_number)
        self.register.trust.take_crl("tpp", crl.public_bytes(Encoding.DER))

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()  # noqa: PTH123, SIM115
        return [int(child) for child in children]


def read_answer(connection: socket.socket, *, method: str = "GET") -> Answer:
    """Read one answer; raises `http.client.HTTPException` where it is cut off."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def renew_public_certificate(home: Home) -> None:
    """Write a new certificate for the public listeners, and what clients trust it by."""
    authority = Authority("Test server CA")
    leaf = authority.server("localhost", "other.localhost")
    certificate, key = leaf.write(home.path / "made", "edge")
    pair = home.server("edge")
    write_public(pair.certificate, open(certificate, "rb").read())  # noqa: PTH123, SIM115
    write_private(pair.key, open(key, "rb").read())  # noqa: PTH123, SIM115
    write_public(home.trust_bundle, authority.pem.encode())


@contextmanager
def running_edge(folder: Path, **settings: str) -> Iterator[EdgeUnderTest]:
    """Start an edge with two workers; `settings` are `GATEWAY_…` variables without the prefix."""
    home, authority = Home(folder), Authority()
    internal = internal_home(home)
    for name in ("authorization", "portal", "demo"):
        internal.issue(home.server(name), names=[f"{name}.internal", name, "localhost"])
    renew_public_certificate(home)
    upstreams = {name: ScriptedUpstream(home, name) for name in ("bank", "authorization", "portal", "demo")}
    ports = PortTable(free_base_port())
    environment = _environment(home, ports, upstreams) | {f"GATEWAY_{name}": value for name, value in settings.items()}
    register = _register(environment["GATEWAY_DATABASE_URL"], authority)
    arguments = ["-c", "python:gateway.edge.server", "gateway.edge.asgi:application()"]
    process = ForkedServer(arguments, environment)
    edge = EdgeUnderTest(
        home=home,
        ports=ports,
        process=process,
        authority=authority,
        register=register,
        bank=upstreams["bank"],
        authorization=upstreams["authorization"],
        portal=upstreams["portal"],
        qwac=authority.qwac(),
        internal_authority=internal,
        command=[sys.executable, "-m", "gunicorn", *arguments],
        environment=environment,
    )
    try:
        wait_until(lambda: _is_up(edge), seconds=90, what="the edge")
        yield edge
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        for upstream in upstreams.values():
            upstream.stop()
        register.engine.dispose()


def _environment(home: Home, ports: PortTable, upstreams: dict[str, ScriptedUpstream]) -> dict[str, str]:
    return os.environ | {
        **_PATIENCE,
        "GATEWAY_HOME": str(home.path),
        "GATEWAY_BASE_PORT": str(ports.base),
        "GATEWAY_DATABASE_URL": home.database_url("gateway"),
        "GATEWAY_BIND_HOST": "127.0.0.1",
        **{f"GATEWAY_{name.upper()}_ADDRESS": upstream.address for name, upstream in upstreams.items()},
    }


def _register(url: str, authority: Authority) -> Register:
    engine = open_engine(url)
    migrate(engine, "gateway")
    trust = Trust(store=SqlTrustStore(engine), clock=SystemClock())
    trust.replace("tpp", anchors=[authority.pem], intermediates=[])
    trust.take_crl("tpp", authority.crl(number=1).public_bytes(Encoding.DER))
    register = Register(engine, trust, SqlRegisterStore(engine))
    register.tpp()
    register.client()
    return register


def _is_up(edge: EdgeUnderTest) -> bool:
    assert edge.process.poll() is None, "the edge did not start"
    try:
        with socket.create_connection(("127.0.0.1", edge.ports.welcome), timeout=10) as connection:
            return edge.over(connection, "/health").status == 200
    except (OSError, http.client.HTTPException):
        return False
