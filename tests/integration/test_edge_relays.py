"""Behind relays: whose word on the client's certificate and address counts, and that nobody else's does."""

from __future__ import annotations

import base64
import itertools
import socket
import struct
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from gateway.configuration.changes import Change
from gateway.configuration.model import Kinds
from gateway.configuration.service import Configuration
from gateway.configuration.store import SqlConfigurationStore
from gateway.kinds import KINDS
from psd2.clock import SystemClock
from tests.support.edge import HOST, TIMEOUT_SECONDS, Answer, EdgeUnderTest, read_answer, running_edge
from tests.support.pki import Authority, Issued, self_signed
from tests.support.ports import wait_until

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

DEADLINE_SECONDS = 30
PATH = "/v1/consents/1"
RELAYS_ADDRESS, CLIENTS_ADDRESS, OTHER_ADDRESS = "127.0.0.2", "192.0.2.7", "192.0.2.8"
PREFACE = f"PROXY TCP4 {CLIENTS_ADDRESS} 10.0.0.1 40000 8443\r\n".encode()
OTHER_NUMBER = "PSDDE-BAFIN-200002"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("CA of relays")


@pytest.fixture(scope="module")
def relay(authority: Authority) -> Issued:
    return authority.server("relay.internal")


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[EdgeUnderTest]:
    """One worker, with relays that bring certificates and relays that bring addresses."""
    with running_edge(tmp_path_factory.mktemp("edge"), EDGE_WORKERS="1", HANDSHAKE_SECONDS="3") as running:
        bundles = {"relays": {"anchors": [authority.pem]}}
        apply(
            running,
            {
                "trust-stores/relays": {"profile": "client", "bundles": bundles, "revocation": {"method": "none"}},
                "relays/addresses": {
                    "proxy_protocol": {"listeners": ["edge", "welcome"], "networks": [f"{RELAYS_ADDRESS}/32"]}
                },
                "relays/certificates": {"certificate": {"form": "rfc9440", "trust_store": "relays"}},
                "deployments/by-address": {
                    "listener": "edge",
                    "upstream": "bank",
                    "mtls": "required",
                    "ip_rules": {"allow": [CLIENTS_ADDRESS]},
                    "routes": [{"path": "/by-address", "methods": ["GET"]}],
                },
            },
        )
        yield running


def apply(edge: EdgeUnderTest, documents: dict[str, dict[str, Any] | None], *, kinds: Kinds = KINDS) -> None:
    """Put documents in force, and wait until the worker serves by them."""
    probe = f"probe{next(_numbers)}"
    routes = [{"path": f"/{probe}", "methods": ["GET"]}]
    documents |= {f"deployments/{probe}": {"listener": "edge", "upstream": "bank", "mtls": "off", "routes": routes}}
    named = [(*place.split("/"), body) for place, body in documents.items()]
    changes = [Change(kind=kind, name=name, body=body) for kind, name, body in named]
    Configuration(kinds=kinds, store=SqlConfigurationStore(edge.register.engine), clock=SystemClock()).apply(changes)
    wait_until(lambda: edge.get(f"/{probe}").status == 200, seconds=DEADLINE_SECONDS, what=probe)


def bring(edge: EdgeUnderTest, form: str) -> None:
    apply(edge, {"relays/certificates": {"certificate": {"trust_store": "relays", "form": form}}})


def lines(connection: socket.socket, *headers: str, path: str = PATH) -> Answer:
    """Send a request with these header lines as they are."""
    head = "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {HOST}", *headers])
    connection.sendall(head.encode("latin-1") + b"\r\n\r\n")
    return read_answer(connection)


def sf(certificate: Issued) -> str:
    return f":{base64.b64encode(certificate.der).decode()}:"


def escaped(certificate: Issued, *, safe: str = "") -> str:
    return quote(certificate.pem, safe=safe)


def seen(answer: Answer) -> dict[str, str]:
    """Return the headers that the bank got."""
    assert answer.status == 200, answer.body
    return dict(answer.json["headers"])


FORMS = {
    "rfc9440": ("Client-Cert", sf),
    "xfcc": ("X-Forwarded-Client-Cert", lambda each: f'Hash={each.sha256};Cert="{escaped(each)}"'),
    "nginx": ("X-SSL-Client-Cert", escaped),
    "aws-alb": ("X-Amzn-Mtls-Clientcert", lambda each: escaped(each, safe="+=/")),
    "base64-der": ("X-Client-Cert", lambda each: sf(each).strip(":")),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_certificate_that_a_relay_brings_is_judged_as_one_of_tls(edge: EdgeUnderTest, relay: Issued, form: str) -> None:
    """In each form: a good one opens, with a token bound to it; others are refused for the reason that TLS would have."""
    bring(edge, form)
    name, written = FORMS[form]
    good, stranger = edge.authority.qwac(), self_signed()
    token = edge.register.token(good)
    with edge.connect(relay) as connection:
        answer = lines(connection, f"{name}: {written(good)}", f"Authorization: Bearer {token}", path="/v1/accounts")
        assert seen(answer)["client-cert"] == sf(good)
        record = edge.record_of(answer)
        assert record["certificate"]["sha256"] == good.sha256
        assert (record["relay"]["name"], record["relay"]["certificate"]["sha256"]) == ("certificates", relay.sha256)
        stolen = lines(
            connection, f"{name}: {written(edge.authority.qwac())}", f"Authorization: Bearer {token}", path="/v1/accounts"
        )
        assert (stolen.status, stolen.reason) == (401, "token.cnf_mismatch")
        refused = lines(connection, f"{name}: {written(stranger)}")
        assert (refused.status, refused.reason) == (401, "mtls.untrusted")
        assert lines(connection).reason == "mtls.missing"


def test_more_than_one_value_or_a_malformed_one_is_a_401(edge: EdgeUnderTest, relay: Issued) -> None:
    bring(edge, "rfc9440")
    good = edge.authority.qwac()
    with edge.connect(relay) as connection:
        twice = lines(connection, f"Client-Cert: {sf(good)}", f"Client-Cert: {sf(good)}")
        assert (twice.status, twice.reason) == (401, "relay.several")
        for wrong in ("", "hello", sf(good)[1:], f"{sf(good)}, {sf(good)}"):
            answer = lines(connection, f"Client-Cert: {wrong}")
            assert (answer.status, answer.reason) == (401, "relay.malformed"), wrong
        chain = f"Client-Cert-Chain: {sf(good)}"
        assert lines(connection, chain).reason == "relay.malformed"
        assert lines(connection, f"Client-Cert: {sf(good)}", "Client-Cert-Chain: x").reason == "relay.malformed"
        assert lines(connection, f"Client-Cert: {sf(good)}", chain).status == 200


def test_a_relay_reads_only_the_header_of_its_form(edge: EdgeUnderTest, relay: Issued) -> None:
    """A client that sends another one through the relay gets nothing by it."""
    bring(edge, "rfc9440")
    with edge.connect(relay) as connection:
        for form in ("xfcc", "nginx", "aws-alb", "base64-der"):
            name, written = FORMS[form]
            assert lines(connection, f"{name}: {written(edge.qwac)}").reason == "mtls.missing"
        for spelling in ("Client_Cert", "Client-Cert-Leaf"):
            assert lines(connection, f"{spelling}: {sf(edge.qwac)}").reason == "mtls.missing"


def test_what_one_client_has_shown_says_nothing_of_the_next(edge: EdgeUnderTest, relay: Issued) -> None:
    """Many clients share a relay's connection."""
    edge.register.tpp(OTHER_NUMBER)
    bring(edge, "rfc9440")
    first, second = edge.authority.qwac(), edge.authority.qwac(number=OTHER_NUMBER)
    with edge.connect(relay) as connection:
        for certificate, number in [(first, "PSDDE-BAFIN-100001"), (second, OTHER_NUMBER)] * 2:
            assert seen(lines(connection, f"Client-Cert: {sf(certificate)}"))["x-sandbox-tpp"] == number
        edge.revoke(first)
        wait_until(lambda: lines(connection, f"Client-Cert: {sf(first)}").status == 401, seconds=DEADLINE_SECONDS, what="401")
        assert lines(connection, f"Client-Cert: {sf(second)}").status == 200


NAMES = [
    *(name for name, _ in FORMS.values()),
    "Client-Cert-Chain",
    "X-Amzn-Mtls-Clientcert-Leaf",
    "SSL-Client-Cert",
    "X-Client-Certificate",
    "X-Forwarded-For",
    "X-Real-IP",
    "Forwarded",
    "True-Client-IP",
    "X-Envoy-External-Address",
    "X-Sandbox-TPP",
    "X-Sandbox-Address",
]
SPELLINGS = {
    "as it is": "{name}: {value}",
    "lower case": "{lower}: {value}",
    "upper case": "{upper}: {value}",
    "underscores": "{under}: {value}",
    "no space": "{name}:{value}",
    "much space": "{name}: \t {value} \t",
    "twice": "{name}: {value}\r\n{name}: {value}",
    "twice, once with underscores": "{under}: {value}\r\n{name}: {value}",
    "named hop-by-hop": "Connection: keep-alive, {name}\r\n{name}: {value}",
}
UNREADABLE = {
    "space before the colon": "{name} : {value}",
    "space before the name": " {name}: {value}",
    "folded": "X-A: b\r\n {name}: {value}",
    "folded value": "{name}:\r\n {value}",
    "a bare LF": "X-A: b\n{name}: {value}",
}


def spelled(spelling: str, name: str, value: str) -> str:
    return spelling.format(name=name, lower=name.lower(), upper=name.upper(), under=name.replace("-", "_"), value=value)


@pytest.mark.parametrize("name", NAMES)
def test_from_anybody_else_no_header_has_an_effect(edge: EdgeUnderTest, name: str) -> None:
    """In no spelling: a TPP stays who it is, whoever has no certificate stays nobody, and the bank does not see it."""
    edge.register.tpp(OTHER_NUMBER)
    other = edge.authority.qwac(number=OTHER_NUMBER)
    written = dict(FORMS.values())
    value = written[name](other) if name in written else f"{sf(other)}"
    with edge.connect(edge.qwac) as tpp, edge.connect() as nobody, edge.connect(self_signed()) as stranger:
        for spelling in SPELLINGS.values():
            headers = seen(lines(tpp, spelled(spelling, name, value)))
            assert headers["x-sandbox-tpp"] == "PSDDE-BAFIN-100001"
            assert headers["client-cert"] == sf(edge.qwac)
            assert headers["x-sandbox-address"] == "127.0.0.1"
            assert value.lower() not in str(headers).lower()
            assert lines(nobody, spelled(spelling, name, value)).reason == "mtls.missing"
            assert lines(stranger, spelled(spelling, name, value)).reason == "mtls.untrusted"


@pytest.mark.parametrize("spelling", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_spellings_that_could_be_read_in_two_ways_end_the_connection(edge: EdgeUnderTest, spelling: str) -> None:
    with edge.connect(edge.qwac) as connection:
        answer = lines(connection, spelled(spelling, "Client-Cert", sf(edge.qwac)))
        assert (answer.status, answer.headers["connection"]) == (400, "close")


def test_a_client_is_no_relay_even_where_a_store_says_so(edge: EdgeUnderTest) -> None:
    """The TPPs' own CA is in a relay's store, which no set that is judged can have: a QWAC stays its holder's all the same."""
    unjudged = Kinds(replace(kind, conflicts=lambda _snapshot: ()) for kind in KINDS)
    bundles = {"tpps": {"anchors": [edge.authority.pem]}}
    store = {"profile": "client", "bundles": bundles, "revocation": {"method": "none"}}
    relay = {"certificate": {"form": "base64-der", "trust_store": "careless"}}
    apply(edge, {"trust-stores/careless": store, "relays/careless": relay}, kinds=unjudged)
    other = edge.authority.qwac(number=OTHER_NUMBER)
    with edge.connect(edge.qwac) as connection:
        headers = seen(lines(connection, f"X-Client-Cert: {sf(other).strip(':')}"))
    apply(edge, {"trust-stores/careless": None, "relays/careless": None})
    assert headers["x-sandbox-tpp"] == "PSDDE-BAFIN-100001"


# --- the client's address ---


@contextmanager
def preceded(edge: EdgeUnderTest, preface: bytes, *, source: str = RELAYS_ADDRESS) -> Iterator[ssl.SSLSocket]:
    """Open a connection from an address, which begins with these bytes."""
    plain = socket.create_connection(("127.0.0.1", edge.ports.edge), timeout=TIMEOUT_SECONDS, source_address=(source, 0))
    with plain:
        plain.sendall(preface)
        with edge.context(edge.qwac).wrap_socket(plain, server_hostname=HOST) as secured:
            yield secured


def version_2(address: str) -> bytes:
    block = socket.inet_aton(address) + socket.inet_aton("10.0.0.1") + struct.pack("!HH", 40000, 8443)
    return b"\r\n\r\n\x00\r\nQUIT\n" + struct.pack("!BBH", 0x21, 0x11, len(block)) + block


@pytest.mark.parametrize(
    ("preface", "status"), [(PREFACE, 200), (version_2(CLIENTS_ADDRESS), 200), (version_2(OTHER_ADDRESS), 403)]
)
def test_the_address_that_a_relay_tells_is_the_clients(edge: EdgeUnderTest, preface: bytes, status: int) -> None:
    """For IP rules, the bank and the record, which also names the relay."""
    with preceded(edge, preface) as connection:
        answer = edge.over(connection, "/by-address")
        told = seen(edge.over(connection))
    record = edge.record_of(answer)
    assert answer.status == status
    assert record["client_ip"] == told["x-sandbox-address"] == (CLIENTS_ADDRESS if status == 200 else OTHER_ADDRESS)
    assert record["relay"] == {"address": RELAYS_ADDRESS}


def test_a_relay_that_speaks_for_itself_has_its_own_address(edge: EdgeUnderTest) -> None:
    """As its health checks do."""
    with preceded(edge, b"PROXY UNKNOWN\r\n") as connection:
        assert seen(edge.over(connection))["x-sandbox-address"] == RELAYS_ADDRESS


def test_plain_http_behind_a_relay(edge: EdgeUnderTest) -> None:
    """Where there is no TLS, the request may come in one piece with the header."""
    source = (RELAYS_ADDRESS, 0)
    with socket.create_connection(("127.0.0.1", edge.ports.welcome), timeout=TIMEOUT_SECONDS, source_address=source) as plain:
        plain.sendall(PREFACE + f"GET /nowhere HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        answer = read_answer(plain)
    assert edge.record_of(answer)["client_ip"] == CLIENTS_ADDRESS


def test_from_other_networks_such_a_header_is_none(edge: EdgeUnderTest) -> None:
    """It is no TLS: the connection ends, and the record has the true address."""
    before = len(edge.records(kind="handshake", client_ip="127.0.0.1"))
    with pytest.raises(OSError), preceded(edge, PREFACE, source="127.0.0.1"):  # noqa: PT011 - reset or alert, as it comes
        pass
    assert len(edge.records(kind="handshake", client_ip="127.0.0.1")) == before + 1


@pytest.mark.parametrize(
    ("preface", "reason"),
    [(b"PROXY TCP4 x y 1 2\r\n", "proxy.malformed"), (b"", "proxy.malformed"), (b"PROXY ", "proxy.timeout")],
    ids=["malformed", "without", "unfinished"],
)
def test_a_relay_without_a_good_header_is_cut_off(edge: EdgeUnderTest, preface: bytes, reason: str) -> None:
    """Nothing is answered, and TLS does not begin; a header that does not end in time is none."""
    source = (RELAYS_ADDRESS, 0)
    with socket.create_connection(("127.0.0.1", edge.ports.edge), timeout=TIMEOUT_SECONDS, source_address=source) as plain:
        plain.sendall(preface or b"\x16\x03\x01\x00\x05hello")
        with suppress(ConnectionResetError):
            assert plain.recv(1) == b""
    (record,) = edge.records(kind="handshake", reason=reason, client_ip=RELAYS_ADDRESS)[-1:]
    assert record["listener"] == "edge"
