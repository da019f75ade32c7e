"""The client's own transport against a server that misbehaves, and the wait for a person's browser."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.pki import Authority
from tests.support.ports import free_port
from tpp_client.errors import IdentityUnusable, TppClientError, TransportFailed
from tpp_client.identity import Credential
from tpp_client.journeys.browser import BrowserPsu, loopback_redirect_uri
from tpp_client.transport import MOST_BODY_BYTES, MutualTlsTransport
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Iterator


class Handler(BaseHTTPRequestHandler):
    """Does what the path says."""

    protocol_version = "HTTP/1.1"
    server: Server
    timeout = 5.0

    def do_GET(self) -> None:
        self.server.seen.append((self.command, self.path, self.headers.get("Cookie")))
        answer = getattr(self, f"answer_{self.path.strip('/')}")
        answer()

    def answer_who(self) -> None:
        peer: dict[str, Any] | None = self.connection.getpeercert()
        self._answer(str(bool(peer)).encode(), {"Set-Cookie": "session=1"})

    def answer_token(self) -> None:
        self.answer_serial()

    def answer_serial(self) -> None:
        peer: dict[str, Any] = self.connection.getpeercert() or {}
        self._answer(str(peer.get("serialNumber")).encode(), {})

    def answer_away(self) -> None:
        self._answer(b"", {"Location": "https://attacker.example/"}, status=302)

    def answer_flood(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        with self.server.quiet():
            for _ in range(MOST_BODY_BYTES // 1024 + 100):
                self.wfile.write(bytes(1024))

    def answer_once(self) -> None:
        self._answer(b"closing", {})
        self.close_connection = True  # without saying so: the client believes that the connection lives

    def _answer(self, body: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Server(ThreadingHTTPServer):
    """Keeps what it was asked; a client that hangs up is no news."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, str | None]] = []

    def handle_error(self, *_: object) -> None:
        """Stay silent."""

    @contextmanager
    def quiet(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            return


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Server CA")


@pytest.fixture
def server(authority: Authority, tmp_path: Path) -> Iterator[Server]:
    """Lend an HTTPS server that asks for a client certificate and takes any from the same authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server("localhost").write(tmp_path, "server"))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=authority.pem)
    found = Server()
    found.socket = context.wrap_socket(found.socket, server_side=True)
    thread = threading.Thread(target=found.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join(timeout=60)


@pytest.fixture
def cafile(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "trust.pem"
    path.write_text(authority.pem)
    return path


def ask(server: Server, transport: MutualTlsTransport, path: str, method: str = "GET") -> bytes:
    url = f"https://localhost:{server.server_address[1]}{path}"
    return transport.send(HttpRequest(method=method, url=url)).body


def credential(authority: Authority, folder: Path, name: str = "qwac") -> Credential:
    certificate, key = authority.qwac().write(folder, name)
    return Credential(certificate=Path(certificate), key=Path(key))


def test_the_certificate_is_presented_or_not_as_asked(
    server: Server, authority: Authority, cafile: Path, tmp_path: Path
) -> None:
    """Attacks need to come without one."""
    with MutualTlsTransport(cafile=cafile, credential=credential(authority, tmp_path)) as known:
        assert ask(server, known, "/who") == b"True"
    with MutualTlsTransport(cafile=cafile, credential=None) as nobody:
        assert ask(server, nobody, "/who") == b"False"


def test_another_certificate_is_presented_where_that_is_said(
    server: Server, authority: Authority, cafile: Path, tmp_path: Path
) -> None:
    """A client that authenticates by a certificate of its own does so at its endpoints; the QWAC opens the rest."""
    qwac, own = credential(authority, tmp_path), credential(authority, tmp_path, "client")
    place = f"https://localhost:{server.server_address[1]}/token"
    with MutualTlsTransport(cafile=cafile, credential=qwac, others={place: own}) as transport:
        presented = [ask(server, transport, path) for path in ("/token", "/serial", "/token")]
    with MutualTlsTransport(cafile=cafile, credential=qwac) as plain:
        everywhere = ask(server, plain, "/serial")

    assert presented[1] == everywhere
    assert presented[0] == presented[2] != everywhere


def test_a_server_of_another_authority_is_not_trusted(server: Server, tmp_path: Path) -> None:
    """Only the bundle counts."""
    bundle = tmp_path / "other.pem"
    bundle.write_text(Authority("Another CA").pem)

    with MutualTlsTransport(cafile=bundle, credential=None) as transport, pytest.raises(TransportFailed, match="certificate"):
        ask(server, transport, "/who")


def test_the_environment_adds_no_trust(
    server: Server, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUESTS_CA_BUNDLE would silently replace the bundle if the session trusted its environment."""
    ours, theirs = tmp_path / "ours.pem", tmp_path / "theirs.pem"
    ours.write_text(Authority("Another CA").pem)
    theirs.write_text(authority.pem)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(theirs))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(theirs))

    with MutualTlsTransport(cafile=ours, credential=None) as transport, pytest.raises(TransportFailed):
        ask(server, transport, "/who")


def test_redirects_are_answers(server: Server, cafile: Path) -> None:
    """Followed, they would carry a token to wherever the answer says."""
    with MutualTlsTransport(cafile=cafile, credential=None) as transport:
        answer = transport.send(HttpRequest(method="GET", url=f"https://localhost:{server.server_address[1]}/away"))

    assert (answer.status, answer.headers["location"]) == (302, "https://attacker.example/")


def test_a_flood_is_not_read_to_its_end(server: Server, cafile: Path) -> None:
    """A limit on everything."""
    with MutualTlsTransport(cafile=cafile, credential=None) as transport, pytest.raises(TransportFailed, match="longer than"):
        ask(server, transport, "/flood")


def test_cookies_are_not_kept(server: Server, cafile: Path) -> None:
    """A TPP is no browser: a cookie would tie one PSU's calls to another's."""
    with MutualTlsTransport(cafile=cafile, credential=None) as transport:
        ask(server, transport, "/who")
        ask(server, transport, "/who")

    assert [cookie for _, _, cookie in server.seen] == [None, None]


def test_a_get_is_sent_once_more_on_a_connection_gone_stale(server: Server, cafile: Path) -> None:
    """RFC 9110 §9.2.2: safe to repeat."""
    with MutualTlsTransport(cafile=cafile, credential=None) as transport:
        assert ask(server, transport, "/once") == b"closing"
        assert ask(server, transport, "/who") == b"False"


def test_a_key_of_another_certificate_is_named(authority: Authority, cafile: Path, tmp_path: Path) -> None:
    """A wrong pair is the commonest mistake with files; the message names both."""
    one, other = credential(authority, tmp_path, "one"), credential(authority, tmp_path, "other")
    mixed = Credential(certificate=one.certificate, key=other.key)

    with pytest.raises(IdentityUnusable, match=r"one\.crt and .*other\.key can't be used together"):
        MutualTlsTransport(cafile=cafile, credential=mixed)


def test_nobody_there_is_told_in_a_sentence(cafile: Path) -> None:
    """Not as a traceback three causes deep."""
    with (
        MutualTlsTransport(cafile=cafile, credential=None) as transport,
        pytest.raises(TransportFailed, match="nobody listens"),
    ):
        transport.send(HttpRequest(method="GET", url="https://localhost:1/"))


def test_the_browser_is_waited_for_and_an_icon_is_not_taken_for_it() -> None:
    """The first request to the redirect's path ends the wait."""
    redirect_uri = f"http://localhost:{free_port()}/callback"

    def browse(_: str) -> None:
        threading.Thread(target=visit, args=(redirect_uri,), daemon=True).start()

    found = BrowserPsu(redirect_uri=redirect_uri, show=browse, wait_seconds=10).decide("https://bank.example/authorize")

    assert found == f"{redirect_uri}?code=c0de&state=s"


def test_a_browser_that_never_comes_ends_the_wait() -> None:
    """Every wait has a deadline."""
    waiting = BrowserPsu(redirect_uri=f"http://localhost:{free_port()}/callback", show=lambda _: None, wait_seconds=0.2)

    with pytest.raises(TppClientError, match=r"no browser came back .* within 0\.2 s"):
        waiting.decide("https://bank.example/authorize")


def test_only_a_loopback_redirect_can_be_waited_on() -> None:
    """RFC 8252 §7.3; the message says what to register."""
    assert loopback_redirect_uri(("https://x.example/cb", "http://127.0.0.1:9/cb")) == "http://127.0.0.1:9/cb"
    with pytest.raises(TppClientError, match="register one such as http://localhost"):
        loopback_redirect_uri(("https://localhost:8446/callback",))


def visit(redirect_uri: str) -> None:
    session = requests.Session()
    session.trust_env = False
    root = redirect_uri.removesuffix("/callback")
    assert session.get(f"{root}/favicon.ico", timeout=60).status_code == 404
    assert "Thank you" in session.get(f"{redirect_uri}?code=c0de&state=s", timeout=60).text
