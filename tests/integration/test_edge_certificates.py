"""Certificates by server name while the edge runs: on every worker, beside open connections, with keys that are sealed."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from gateway.config import GatewaySettings
from gateway.configuration.changes import Change
from gateway.configuration.service import Configuration
from gateway.documents import document_store
from gateway.kinds import KINDS
from gateway.tables.configuration import documents
from psd2.clock import SystemClock
from tests.support.edge import EdgeUnderTest, running_edge
from tests.support.patience import IN_FORCE_SECONDS
from tests.support.pki import Authority
from tests.support.ports import wait_until
from tests.support.stored_certificates import version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.pki import Issued

AUTHORITY = Authority("Shop CA")
CONNECTIONS = 8
NAME = "shop.example"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.fixture(scope="module")
def configuration(edge: EdgeUnderTest) -> Configuration:
    """Lend the edge's configuration as the control API changes it."""
    settings = GatewaySettings(GATEWAY_HOME=edge.home.path)
    return Configuration(kinds=KINDS, store=document_store(edge.register.engine, settings), clock=SystemClock())


def put(configuration: Configuration, kind: str, name: str, body: dict[str, Any] | None) -> None:
    configuration.apply([Change(kind=kind, name=name, body=body)])


def client(version_: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Return a client that looks at what it is shown, and judges nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version_
    return context


def shown(edge: EdgeUnderTest, *, name: str = NAME, port: int | None = None) -> set[str]:
    """Return what several new connections are shown, so many that each worker has some."""
    found = set[str]()
    for _ in range(CONNECTIONS):
        with edge.connect(context=client(), server_name=name, port=port) as connection:
            found.add(hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest())
    return found


def serve(configuration: Configuration, issued: Issued) -> None:
    put(configuration, "certificates", "shop", {"versions": [version(issued)]})
    names = {"names": [NAME], "listeners": ["edge", "front"], "certificate": "shop"}
    put(configuration, "server-names", "shop", names)


def test_a_certificate_comes_into_force_on_every_worker_and_open_connections_stay(
    edge: EdgeUnderTest, configuration: Configuration
) -> None:
    """New handshakes are shown it, requests are answered by its name; what was open goes on."""
    with edge.connect(edge.qwac) as before:
        for issued in (AUTHORITY.server(NAME), AUTHORITY.server(NAME)):
            serve(configuration, issued)
            expected = {issued.sha256}
            wait_until(lambda: shown(edge) == expected, seconds=IN_FORCE_SECONDS, what="the certificate")  # noqa: B023
        assert shown(edge, port=edge.ports.front) == expected
        assert shown(edge, name="localhost").isdisjoint(expected)
        with edge.connect(context=client(), server_name=NAME) as connection:
            assert edge.over(connection, headers={"Host": NAME}).code == "CERTIFICATE_MISSING"
        with edge.connect(context=client(), server_name=NAME) as connection:
            assert edge.over(connection, headers={"Host": "localhost"}).status == 421
        assert edge.over(before, token=edge.register.token(edge.qwac)).status == 200


def test_the_key_is_sealed_in_the_database(edge: EdgeUnderTest, configuration: Configuration) -> None:
    """With the key of the home, as the edge reads it."""
    serve(configuration, AUTHORITY.server(NAME))
    with edge.register.engine.connect() as connection:
        (stored,) = connection.scalars(select(documents.c.body).where(documents.c.kind == "certificates"))
    assert stored.startswith("sealed:")
    assert edge.home.document_key.stat().st_mode & 0o777 == 0o600


def test_rules_of_tls_come_into_force_on_every_worker(edge: EdgeUnderTest, configuration: Configuration) -> None:
    """Of one listener, and back."""

    def answers_to_1_2(port: int) -> set[str]:
        found = set[str]()
        for _ in range(CONNECTIONS):
            try:
                edge.connect(context=client(ssl.TLSVersion.TLSv1_2), port=port).close()
            except (ssl.SSLError, ConnectionError):
                found.add("refused")
            else:
                found.add("spoken")
        return found

    ports = edge.ports
    put(configuration, "listeners", "front", {"tls": {"lowest_version": "1.3"}})
    wait_until(lambda: answers_to_1_2(ports.front) == {"refused"}, seconds=IN_FORCE_SECONDS, what="TLS 1.3 alone")
    assert answers_to_1_2(ports.edge) == {"spoken"}
    put(configuration, "listeners", "front", None)
    wait_until(lambda: answers_to_1_2(ports.front) == {"spoken"}, seconds=IN_FORCE_SECONDS, what="TLS 1.2 again")
