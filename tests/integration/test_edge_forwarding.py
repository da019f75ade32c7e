"""What an internal server sees of a request, and which one: no forged identity, no hop-by-hop header, its own paths only."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.edge import Answer, EdgeUnderTest, read_answer, running_edge

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge to all tests of this file."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


def forwarded(answer: Answer) -> list[tuple[str, str]]:
    """Return the headers that the internal server saw."""
    assert answer.status == 200, answer.body
    return [(name, value) for name, value in answer.json["headers"]]


# --- identity ---

FORGED = [
    "Client-Cert",
    "client-cert",
    "CLIENT-CERT",
    "Client_Cert",
    "Client-Cert-Chain",
    "Client_Cert_Chain",
    "X-Client-Cert",
    "X-Client-Cert-Chain",
    "X_Client_Cert",
    "X-Client-Certificate",
    "X-Forwarded-Client-Cert",
    "X_Forwarded_Client_Cert",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Prefix",
    "Forwarded",
    "X-Real-IP",
    "X-SSL-Client-Cert",
    "X-SSL-Cert",
    "SSL-Client-Cert",
    "SSL_CLIENT_CERT",
    "Ssl-Client-Verify",
    "X-ARR-ClientCert",
    "X-Amzn-Mtls-Clientcert",
    "X-Sandbox-Tpp",
    "X_Sandbox_Tpp",
    "x-sandbox_tpp",
    "X-Sandbox-Roles",
    "X-Sandbox-Scope",
    "X-Sandbox-Subject",
    "X-Sandbox-Client",
    "X-Sandbox-Listener",
    "X-Sandbox-Address",
    "X-Sandbox-Request",
    "X-Sandbox-Anything",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "Some_Thing",
]


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("listener", ["edge", "portal", "front", "demo", "welcome"])
def test_a_forged_header_never_arrives(edge: EdgeUnderTest, name: str, listener: str) -> None:
    """In no spelling, on no listener; what the edge itself says is there once."""
    if listener == "welcome":
        with socket.create_connection(("127.0.0.1", edge.ports.welcome), timeout=30) as connection:
            answer = edge.over(connection, "/pki/ca.crt", headers={name: "forged"})
    else:
        port = getattr(edge.ports, listener)
        path = {"edge": "/v1/consents/1", "portal": "/any", "front": "/psu/1", "demo": "/any"}[listener]
        answer = edge.get(path, certificate=edge.qwac if listener == "edge" else None, port=port, headers={name: "forged"})
    seen = forwarded(answer)
    assert not [value for _, value in seen if "forged" in value]
    assert [value for each, value in seen if each == "x-sandbox-listener"] == [listener]


def test_hop_by_hop_headers_stay_here(edge: EdgeUnderTest) -> None:
    """Those of RFC 9110 §7.6.1, and what the client itself names in Connection; ours cannot be taken away."""
    headers = {
        "Connection": "keep-alive, X-Private, X-Sandbox-Tpp, Client-Cert",
        "X-Private": "1",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Upgrade": "websocket",
        "Proxy-Authorization": "Basic eA==",
        "X-Kept": "yes",
    }
    seen = dict(forwarded(edge.get(certificate=edge.qwac, headers=headers)))
    assert not seen.keys() & {"connection", "x-private", "keep-alive", "te", "upgrade", "proxy-authorization"}
    assert seen["x-kept"] == "yes"
    assert seen["x-sandbox-tpp"] == "PSDDE-BAFIN-100001"
    assert seen["client-cert"].startswith(":MII")


def test_a_websocket_upgrade_is_an_ordinary_request(edge: EdgeUnderTest) -> None:
    """No protocol is switched."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert edge.get("/ws", port=edge.ports.portal, headers=headers).status == 200


def test_the_bank_gets_what_the_token_says_and_not_the_token(edge: EdgeUnderTest) -> None:
    """Who holds the bank's logs can use no token."""
    token = edge.register.token(edge.qwac)
    seen = dict(forwarded(edge.get("/v1/accounts", certificate=edge.qwac, token=token, headers={"X-Request-ID": "r-1"})))
    assert "authorization" not in seen
    assert seen["x-sandbox-client"] == "client-1"
    assert seen["x-sandbox-scope"] == "AIS:consent-1"
    assert seen["x-sandbox-subject"] == "anna.weber"
    assert seen["x-request-id"] == "r-1"
    assert seen["host"] == "localhost"


def test_the_authorization_server_gets_the_certificate(edge: EdgeUnderTest) -> None:
    """And the client's own Authorization header, if there is one."""
    answer = edge.get("/token", certificate=edge.qwac, method="POST", body=b"a=b", headers={"Authorization": "Basic eA=="})
    seen = dict(forwarded(answer))
    assert answer.json["body"] == "a=b"
    assert seen["authorization"] == "Basic eA=="
    assert seen["client-cert"].startswith(":MII")


# --- the ordinary ---


def test_head_requests_and_http_1_0(edge: EdgeUnderTest) -> None:
    """A HEAD has no body; HTTP/1.0 closes."""
    answer = edge.get("/any", method="HEAD", port=edge.ports.portal)
    assert (answer.status, answer.body) == (200, b"")
    with edge.connect(port=edge.ports.portal) as connection:
        connection.sendall(b"GET /any HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert read_answer(connection).status == 200
        assert connection.recv(1) == b""


def test_health_is_answered_on_the_welcome_address_only(edge: EdgeUnderTest) -> None:
    """By the edge itself; elsewhere it is a path like any other."""
    with socket.create_connection(("127.0.0.1", edge.ports.welcome), timeout=30) as connection:
        assert edge.over(connection, "/health").json == {"status": "ok"}
    assert edge.get("/health", certificate=edge.qwac).status == 404


@pytest.mark.parametrize(
    "path", ["/", "/trust.pem", "/pki/crl/tpp-issuing.crl", "/pki/ocsp/tpp-issuing/MFQ//w%2FU=", "/static/welcome.css"]
)
def test_the_welcome_address_forwards_what_is_public(edge: EdgeUnderTest, path: str) -> None:
    """To the portal."""
    with socket.create_connection(("127.0.0.1", edge.ports.welcome), timeout=30) as connection:
        assert edge.over(connection, path).json["line"] == f"GET {path} HTTP/1.1"


def test_the_welcome_address_forwards_nothing_else(edge: EdgeUnderTest) -> None:
    """Neither the portal's own pages nor methods that change something."""
    with socket.create_connection(("127.0.0.1", edge.ports.welcome), timeout=30) as connection:
        assert edge.over(connection, "/api/v1/tpps").status == 404
        assert edge.over(connection, "/trust.pem", method="PUT").status == 405


@pytest.mark.parametrize(
    ("path", "server"), [("/authorize?a=b", "authorization"), ("/.well-known/x", "authorization"), ("/psu/1", "bank")]
)
def test_the_front_forwards_by_path(edge: EdgeUnderTest, path: str, server: str) -> None:
    """Authorization server or bank."""
    upstream = {"authorization": edge.authorization, "bank": edge.bank}[server]
    seen = len(upstream.received)
    assert edge.get(path, port=edge.ports.front).status == 200
    assert len(upstream.received) == seen + 1
