"""Which certificate a client is shown, by which rules, and which sessions resume: handshakes without a network."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from chassis.home import Home
from gateway.configuration.model import Document
from gateway.configuration.snapshot import Snapshot, parsed_document
from gateway.edge.tls.contexts import PublicTls
from gateway.edge.tls.server_names import ServerNames
from gateway.kinds import KINDS
from gateway.policies.model import Listener
from psd2.thumbprints import sha256_hex
from tests.support.pki import Authority, Issued, self_signed
from tests.support.stored_certificates import version
from tests.unit.gateway.edge.test_tls import install

if TYPE_CHECKING:
    from pathlib import Path

AUTHORITY = Authority()
DEFAULT, SHOP, RENEWED = (AUTHORITY.server("shop.example", "*.shop.example") for _ in range(3))
VERSIONS = pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
AES, CHACHA = "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"
_FLIGHTS = 6


class Side:
    """What a worker's TLS is made of."""

    def __init__(self, folder: Path) -> None:
        home = Home(folder)
        install(home, DEFAULT)
        self.tls = PublicTls(home)
        self.names = ServerNames(home)
        self.names.attach(self.tls)
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}

    def put(self, kind: str, name: str, body: dict[str, Any]) -> None:
        """Put a document in force beside the others."""
        self.documents[kind, name] = body
        parsed = [parsed_document(KINDS, Document(*place, body)) for place, body in self.documents.items()]
        self.names.prepare(Snapshot(parsed))()

    def show(self, issued: Issued, *names: str) -> None:
        self.documents["certificates", "shop"] = {"versions": [version(issued)]}
        self.put("server-names", "shop", {"names": list(names), "listeners": ["edge"], "certificate": "shop"})

    def rule(self, **tls: object) -> None:
        self.put("listeners", "edge", {"tls": tls})


@pytest.fixture
def side(tmp_path: Path) -> Side:
    return Side(tmp_path)


class Client:
    """A client that keeps its session."""

    def __init__(self, tls: ssl.TLSVersion, *, ciphers: str | None = None, tickets: bool = True) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.context.minimum_version = self.context.maximum_version = tls
        if ciphers:
            self.context.set_ciphers(ciphers)
        if not tickets:
            self.context.options |= ssl.OP_NO_TICKET
        self.session: ssl.SSLSession | None = None
        self.suite = ""
        self.presented: bytes | None = None
        self.protocol: str | None = None

    def shake_hands(self, side: Side, name: str | None = None, *, listener: Listener = Listener.EDGE) -> str:
        """Return the SHA-256 of what is shown, or `resumed`."""
        server = side.tls.contexts[listener]
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        mine = self.context.wrap_bio(to_client, to_server, server_hostname=name, session=self.session)
        theirs = server.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(_FLIGHTS):
            for each in (mine, theirs):
                try:
                    each.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        theirs.write(b"x")
        assert mine.read(1) == b"x"
        self.session, self.suite = mine.session, (mine.cipher() or ("",))[0]
        self.presented = theirs.getpeercert(binary_form=True)
        self.protocol = mine.selected_alpn_protocol()
        resumed = theirs.session_reused
        shown = sha256_hex(mine.getpeercert(binary_form=True) or b"")
        for each in (mine, theirs, mine):  # OpenSSL forgets a session whose connection was broken off
            with suppress(ssl.SSLWantReadError):
                each.unwrap()
        return "resumed" if resumed else shown


def asked(side: Side, tls: ssl.TLSVersion, name: str | None, *, listener: Listener = Listener.EDGE) -> str:
    return Client(tls).shake_hands(side, name, listener=listener)


@VERSIONS
def test_a_name_of_its_own_is_shown_its_certificate(side: Side, tls: ssl.TLSVersion) -> None:
    """Others, none at all, and other listeners are shown the default one."""
    side.show(SHOP, "shop.example", "*.shop.example")
    assert {asked(side, tls, name) for name in ("shop.example", "SHOP.example", "a.shop.example")} == {SHOP.sha256}
    assert {asked(side, tls, name) for name in (None, "localhost", "a.b.shop.example", "xshop.example")} == {DEFAULT.sha256}
    assert asked(side, tls, "shop.example", listener=Listener.FRONT) == DEFAULT.sha256


@VERSIONS
def test_a_rotation_is_in_force_with_the_next_handshake(side: Side, tls: ssl.TLSVersion) -> None:
    """Also one back; a name that is taken away is shown the default one."""
    for issued in (SHOP, RENEWED, SHOP):
        side.show(issued, "shop.example")
        assert asked(side, tls, "shop.example") == issued.sha256
    side.show(SHOP, "a.shop.example")
    assert asked(side, tls, "shop.example") == DEFAULT.sha256


def test_contexts_of_what_has_not_changed_stay(side: Side) -> None:
    """A change elsewhere costs no handshake set-up."""
    side.show(SHOP, "shop.example")
    before = side.names.context_of(Listener.EDGE, "shop.example")
    side.put("listeners", "front", {"tls": {"lowest_version": "1.3"}})
    assert side.names.context_of(Listener.EDGE, "shop.example") is before


@VERSIONS
def test_an_untrusted_client_reaches_the_application_by_every_name(side: Side, tls: ssl.TLSVersion, tmp_path: Path) -> None:
    """Its refusal is an HTTP answer there too."""
    side.show(SHOP, "shop.example")
    stranger, client = self_signed(), Client(tls)
    client.context.load_cert_chain(*stranger.write(tmp_path, "client"))
    client.shake_hands(side, "shop.example")
    assert client.presented == stranger.der


@pytest.mark.parametrize("name", ["localhost", "shop.example"])
def test_http_2_is_spoken_by_every_name(side: Side, name: str) -> None:
    """It is agreed on with the certificate's context."""
    side.show(SHOP, "shop.example")
    client = Client(ssl.TLSVersion.TLSv1_3)
    client.context.set_alpn_protocols(["h2", "http/1.1"])
    client.shake_hands(side, name)
    assert client.protocol == "h2"


@VERSIONS
def test_sessions_resume_by_every_name_and_over_rotations(side: Side, tls: ssl.TLSVersion) -> None:
    """As tickets are the listener's."""
    side.show(SHOP, "shop.example")
    client = Client(tls)
    assert client.shake_hands(side, "shop.example") == SHOP.sha256
    assert client.shake_hands(side, "shop.example") == "resumed"
    side.show(RENEWED, "shop.example")
    assert client.shake_hands(side, "shop.example") == "resumed"


@pytest.mark.parametrize("name", ["localhost", "shop.example"])
@pytest.mark.parametrize("tickets", [True, False])
def test_a_suite_that_is_taken_away_is_spoken_no_more(side: Side, name: str, *, tickets: bool) -> None:
    """Not by a session that began with it either, and by no name."""
    side.show(SHOP, "shop.example")
    client = Client(ssl.TLSVersion.TLSv1_2, ciphers=f"{AES}:{CHACHA}", tickets=tickets)
    client.shake_hands(side, name)
    assert (client.suite, client.shake_hands(side, name)) == (AES, "resumed")
    side.rule(suites=[CHACHA])
    assert client.shake_hands(side, name) != "resumed"
    assert client.suite == CHACHA
    with pytest.raises(ssl.SSLError):
        Client(ssl.TLSVersion.TLSv1_2, ciphers=AES).shake_hands(side, name)


@pytest.mark.parametrize("name", ["localhost", "shop.example"])
def test_a_version_that_is_taken_away_is_spoken_no_more(side: Side, name: str) -> None:
    """By no name; on other listeners it is."""
    side.show(SHOP, "shop.example")
    side.rule(lowest_version="1.3")
    with pytest.raises(ssl.SSLError):
        asked(side, ssl.TLSVersion.TLSv1_2, name)
    asked(side, ssl.TLSVersion.TLSv1_3, name)
    asked(side, ssl.TLSVersion.TLSv1_2, name, listener=Listener.FRONT)


def test_workers_derive_the_same_ticket_keys(side: Side, tmp_path: Path) -> None:
    """A session that began with one worker resumes with another, whatever the rules were in between."""
    other = Side(tmp_path / "other")
    other.tls._tickets[Listener.EDGE]._first = side.tls._tickets[Listener.EDGE]._first
    for each in (side, other):
        each.rule(suites=[AES])
        each.rule(suites=[AES, CHACHA])
    client = Client(ssl.TLSVersion.TLSv1_2)
    client.shake_hands(side)
    assert client.shake_hands(other) == "resumed"
