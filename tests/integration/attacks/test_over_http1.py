"""Attacks over HTTP/1.1 against one edge; after each of them others are served as before.

Already attacked elsewhere: malformed framing, paths and slow clients in tests/integration/test_edge_requests.py, forged
headers in test_edge_forwarding.py, SNI and Host in test_edge_refusals.py, spellings of paths in tests/unit/gateway/admission.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.support.edge import EdgeUnderTest, read_answer, running_edge
from tests.support.patience import IN_FORCE_SECONDS
from tests.support.pki import Authority, Issued
from tests.support.ports import wait_until
from tests.support.scripted_upstream import echo, raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IDLE_CONNECTIONS = int(os.environ.get("ATTACK_CONNECTIONS", "500"))
PATIENCE_SECONDS = "60"  # no deadline of the edge ends what a test holds open

GET = b"GET /v1/consents/1 HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v1/consents HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = b"GET /v1/consents/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Start the edge that all of these attack."""
    names = ("HANDSHAKE_SECONDS", "HEAD_SECONDS", "BODY_SECONDS", "IDLE_SECONDS", "STALL_SECONDS")
    settings = dict.fromkeys(names, PATIENCE_SECONDS)
    limits = {"MAX_CONNECTIONS": str(2 * IDLE_CONNECTIONS + 1_000), "BRUTE_FORCE_FAILURES": "1000000"}
    with running_edge(tmp_path_factory.mktemp("edge"), **settings, **limits) as edge:
        yield edge


@pytest.fixture
def edge(running: EdgeUnderTest) -> Iterator[EdgeUnderTest]:
    """Lend it; whatever was done to it, it serves afterwards, with the processes that it began with."""
    workers = running.workers()
    running.bank.reply = echo
    yield running
    running.bank.reply = echo
    assert served(running)
    assert running.workers() == workers


def served(edge: EdgeUnderTest) -> bool:
    """Tell whether an honest client gets its own answer."""
    answer = edge.get("/v1/consents/mine", certificate=edge.qwac)
    return answer.status == 200 and answer.json["line"] == "GET /v1/consents/mine HTTP/1.1"


def lines_at(edge: EdgeUnderTest) -> list[str]:
    """Return the request lines that the bank has seen."""
    return [each.line for each in edge.bank.received]


# --- smuggling: where a request ends ---


@pytest.mark.parametrize(
    "framing",
    [
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"Transfer-Encoding: chunked\x00\r\n",
        b'Transfer-Encoding: "chunked"\r\n',
        b"Transfer-Encoding: chunked;a=b\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding:\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n",
        b"Transfer-Encoding\t: chunked\r\n",
        b"X: y\nTransfer-Encoding: chunked\r\n",
        b"X: y\rTransfer-Encoding: chunked\r\n",
        b"Content-Length: 0\r\nTransfer-Encoding: CHUNKED\r\n",
        b"Content-Length: 0\r\nContent-length: 70\r\n",
        b"Content-Length: 1_0\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length: 5;a=b\r\n",
    ],
)
def test_no_spelling_of_the_framing_lets_a_request_through_in_a_body(edge: EdgeUnderTest, framing: bytes) -> None:
    """CL.TE, TE.CL and TE.TE: refused, and what follows is nobody's request."""
    with edge.connect(edge.qwac) as connection:
        connection.sendall(POST + framing + b"\r\n0\r\n\r\n" + SMUGGLED)
        assert read_answer(connection).status == 400
        assert connection.recv(1) == b""
    assert not [line for line in lines_at(edge) if "smuggled" in line]


@pytest.mark.parametrize("name", [b"Transfer_Encoding", b"Content_Length", b"Transfer-Encoding-X", b"X-Transfer-Encoding"])
def test_a_name_that_only_resembles_the_framings_frames_nothing(edge: EdgeUnderTest, name: bytes) -> None:
    """A server that reads an underscore as a hyphen gets no such name; the body ends where we say it does."""
    body = b"0\r\n\r\n" + SMUGGLED
    edge.bank.received.clear()
    answer = edge.say(POST + name + b": chunked\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    (received,) = edge.bank.received
    assert answer.status == 200
    assert received.body == body
    assert not [each for each, _ in received.headers if "_" in each]


@pytest.mark.parametrize("named", ["content-length", "transfer-encoding", "host", "client-cert", "x-request-id, close"])
def test_a_client_cannot_name_our_headers_away(edge: EdgeUnderTest, named: str) -> None:
    """What the edge itself adds is no hop-by-hop header of the client's (RFC 9110 §7.6.1)."""
    answer = edge.get("/v1/consents", certificate=edge.qwac, method="POST", headers={"Connection": named}, body=b"12345")
    names = [name for name, _ in answer.json["headers"]]
    assert answer.json["body"] == "12345"
    assert {"host", "client-cert", "content-length"} <= set(names)


def test_the_body_of_a_refused_request_is_no_request(edge: EdgeUnderTest) -> None:
    """Refused before its body was read: the connection goes on behind the body, or not at all."""
    edge.bank.received.clear()
    with edge.connect(edge.qwac) as connection:
        head = b"POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
        connection.sendall(head + SMUGGLED + GET + b"\r\n")
        assert read_answer(connection).status == 404
        assert read_answer(connection).json["line"] == "GET /v1/consents/1 HTTP/1.1"
    assert lines_at(edge) == ["GET /v1/consents/1 HTTP/1.1"]


def test_a_pipelined_request_is_judged_on_its_own(edge: EdgeUnderTest) -> None:
    """An admitted request before it lends it nothing, a refused one takes nothing from the next."""
    token = edge.register.token(edge.qwac).encode()
    account = b"GET /v1/accounts HTTP/1.1\r\nHost: localhost\r\n"
    with edge.connect(edge.qwac) as connection:
        connection.sendall(b"".join([account, b"Authorization: Bearer ", token, b"\r\n\r\n", account, b"\r\n"]))
        first, second = (dict(read_answer(connection).json["headers"]) for _ in range(2))
    assert first["x-sandbox-client"] == "client-1"
    assert "x-sandbox-client" not in second  # the bank hears of no token


# --- smuggling the other way: a server that has turned against us ---

REPLY = b"HTTP/1.1 200 OK\r\n"
FORGED = REPLY + b"Content-Length: 6\r\n\r\nforged"


@pytest.mark.parametrize(
    "reply",
    [
        REPLY + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n12345",
        REPLY + b"Content-Length: 5, 5\r\n\r\n12345",
        REPLY + b"Content-Length: -1\r\n\r\n",
        REPLY + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        REPLY + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        REPLY + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        REPLY + b"A: b\rSet-Cookie: c\r\nContent-Length: 0\r\n\r\n",
        REPLY + b"A: b\nSet-Cookie: c\r\nContent-Length: 0\r\n\r\n",
        REPLY + b"A: \x00\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\x00\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nA: " + b"x" * 900 + b"\r\n\r\n" + b"HTTP/1.1 100 Continue\r\n\r\n" * 4_000,
    ],
)
def test_a_reply_with_two_meanings_reaches_nobody(edge: EdgeUnderTest, reply: bytes) -> None:
    """502 for who has asked; the next gets an answer of its own."""
    edge.bank.reply = raw(reply + FORGED)
    answer = edge.get(certificate=edge.qwac)
    assert answer.status == 502
    assert b"forged" not in answer.body


@pytest.mark.parametrize(
    "reply",
    [
        REPLY + b"Content-Length: 5\r\n\r\n12345" + FORGED,
        REPLY + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n" + FORGED,
    ],
)
def test_a_second_reply_never_becomes_the_next_clients(edge: EdgeUnderTest, reply: bytes) -> None:
    """The connection that it came over is not used again."""
    edge.bank.reply = raw(reply)
    with edge.connect(edge.qwac) as connection:
        assert edge.over(connection).body == b"12345"
        edge.bank.reply = echo
        for number in range(4):
            path = f"/v1/consents/{number}"
            assert edge.over(connection, path).json["line"] == f"GET {path} HTTP/1.1"


# --- injection ---


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0", b"\r\n", b"\x7f", b"\x01", b"\x85\n"])
@pytest.mark.parametrize(
    "place",
    [
        b"GET /v1/consents/1 HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: a%sX-Injected: yes\r\n\r\n",
        b"GET /v1/consents/1 HTTP/1.1\r\nHost: localhost%sX-Injected: yes\r\n\r\n",
        b"GET /v1/consents/1?a=b%sX-Injected:yes HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET%s/v1/consents/1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["value", "host", "query", "method"],
)
def test_no_byte_ends_a_line_that_we_write(edge: EdgeUnderTest, place: bytes, byte: bytes) -> None:
    """Refused; or CRLF in a value, which is a line of its own and stays one."""
    answer = edge.say(place % byte)
    if byte == b"\r\n" and answer.status == 200:
        assert answer.json["headers"].count(["x-injected", "yes"]) == 1
    else:
        assert (answer.status, answer.reason) == (400, "http.malformed")
    assert "x-injected" not in answer.headers


def test_what_is_encoded_stays_encoded(edge: EdgeUnderTest) -> None:
    """A query is handed on as it came: nothing decodes a line end on the way."""
    query = "a=%0d%0aX-Injected:%20yes%00"
    answer = edge.get(f"/v1/consents/1?{query}", certificate=edge.qwac)
    assert answer.json["line"] == f"GET /v1/consents/1?{query} HTTP/1.1"
    assert "x-injected" not in dict(answer.json["headers"])


# --- size ---


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 1_000_000, 431),
        (b"GET /v1/consents/1?" + b"a" * 1_000_000, 431),
        (GET + b"A" * 1_000_000, 431),
        (GET + b"A: " + b"b" * 1_000_000, 431),
        (GET + b"A: b\r\n" * 1_000 + b"\r\n", 431),
        (b"G" * 21 + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 1_000_000, 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 1_000_000, 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + b"b" * 1_000_000, 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
        (POST + b"Content-Length: 999999999999\r\n\r\n", 413),
    ],
    ids=["path", "query", "name", "value", "lines", "method", "extension", "zeros", "trailer", "chunk", "body"],
)
def test_whatever_is_too_large_is_refused(edge: EdgeUnderTest, data: bytes, status: int) -> None:
    """Before it is held, and with an answer that can be read."""
    with edge.connect(edge.qwac) as connection:
        try:
            connection.sendall(data)
        except (ConnectionError, ssl.SSLError):
            return  # the edge has stopped listening: refused earlier still
        try:
            assert read_answer(connection).status == status
        except (ConnectionError, http.client.BadStatusLine):
            return


# --- certificates ---


def _bloated(authority: Authority) -> Issued:
    key = authority.key
    huge = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x04" * 1_000_000)
    honest = authority.qwac()
    builder = x509.CertificateBuilder(
        issuer_name=authority.name,
        subject_name=honest.certificate.subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=honest.certificate.not_valid_before_utc,
        not_valid_after=honest.certificate.not_valid_after_utc,
    )
    return Issued(builder.add_extension(huge, critical=False).sign(key, hashes.SHA256()), key)


def _looping(_: Authority) -> Issued:
    """Two authorities that vouch for one another, and a leaf below them, round and round."""
    first, second = Authority("First"), Authority("Second")
    first.parent, second.parent = second, first
    there, back = (_vouched(*pair) for pair in ((first, second), (second, first)))
    leaf = Authority("First").qwac()
    return Issued(leaf.certificate, leaf.key, (there, back) * 4)


def _vouched(subject: Authority, issuer: Authority) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        issuer_name=issuer.name,
        subject_name=subject.name,
        public_key=subject.key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=subject.certificate.not_valid_before_utc,
        not_valid_after=subject.certificate.not_valid_after_utc,
    )
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        issuer.key, hashes.SHA256()
    )


def _long(_: Authority) -> Issued:
    authority = Authority("Top")
    for number in range(60):
        authority = Authority(f"Step {number}", parent=authority)
    return authority.qwac()


@pytest.mark.parametrize("make", [_bloated, _looping, _long], ids=["1 MB of extensions", "a loop", "sixty authorities"])
def test_a_monstrous_chain_opens_nothing(edge: EdgeUnderTest, make: Callable[[Authority], Issued]) -> None:
    """Ended in the handshake or refused with 401, on record either way."""
    before = len(edge.records())
    try:
        answer = edge.get(certificate=make(edge.authority))
        assert answer.status == 401
    except (ConnectionError, ssl.SSLError, http.client.BadStatusLine):
        pass
    wait_until(lambda: len(edge.records()) > before, seconds=IN_FORCE_SECONDS, what="the record")


# --- starvation ---


def _silent(edge: EdgeUnderTest, _: ssl.SSLContext) -> socket.socket:
    return socket.create_connection(("127.0.0.1", edge.ports.edge), timeout=60)


def _greeting(edge: EdgeUnderTest, context: ssl.SSLContext) -> socket.socket:
    connection = _silent(edge, context)
    connection.sendall(b"\x16\x03\x01\x02\x00\x01")  # the first bytes of a ClientHello
    return connection


def _in_tls(data: bytes) -> Callable[[EdgeUnderTest, ssl.SSLContext], socket.socket]:
    def connect(edge: EdgeUnderTest, context: ssl.SSLContext) -> socket.socket:
        connection = edge.connect(context=context)
        connection.sendall(data)
        return connection

    return connect


STARVATION: dict[str, Any] = {
    "before the handshake": _silent,
    "within the handshake": _greeting,
    "without a request": _in_tls(b""),
    "within the head": _in_tls(GET + b"A: b"),
    "within the body": _in_tls(POST + b"Content-Length: 100\r\n\r\n12345"),
}


def test_connections_that_say_nothing_keep_nobody_from_being_served(edge: EdgeUnderTest) -> None:
    """As many of each sort as there are sorts for; a client that comes late is served among them, often."""
    context = edge.context()
    with ExitStack() as held:
        for number in range(IDLE_CONNECTIONS):
            connect = list(STARVATION.values())[number % len(STARVATION)]
            held.enter_context(connect(edge, context))
        assert all(served(edge) for _ in range(10))
