"""The TPP's own HTTPS endpoint on this machine, where the bank tells that a PSU has decided (OpenID CIBA Core 1.0 §10.2)."""

from __future__ import annotations

import ssl
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from tpp_client.errors import IdentityUnusable, TppClientError
from tpp_client.pings import ExpectedPing, Ping, PingRefused, require_ping

if TYPE_CHECKING:
    import socket
    from types import TracebackType

    from tpp_client.identity import Credential
    from tpp_client.pings import PingEndpoint

PING_SECONDS: Final = 30.0
_HERE: Final = frozenset({"localhost", "127.0.0.1"})
_READ_SECONDS: Final = 5.0
_MOST_BODY_BYTES: Final = 4_096
_MOST_REFUSED: Final = 50


class PingListener:
    """Listens at an endpoint on this machine from its making until it is closed; hears one connection at a time."""

    def __init__(self, endpoint: PingEndpoint, token: str) -> None:
        """Listen; raises `IdentityUnusable` where the endpoint is elsewhere or has no certificate.

        `TppClientError` where somebody else listens there.
        """
        parts = urlsplit(endpoint.url)
        if parts.scheme != "https" or parts.hostname not in _HERE:
            msg = (
                f"{endpoint.url} is not on this machine: the bank pings whoever answers there. To be pinged by the bank of "
                "this machine, register an address such as https://localhost:8451/ping"
            )
            raise IdentityUnusable(msg)
        self._endpoint = endpoint
        self._token = token
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        context = _context(endpoint.credential)
        try:
            self._server = _PingServer(("127.0.0.1", parts.port or 443), context)
        except OSError as error:
            msg = f"can't listen at {endpoint.url} for the bank's ping: {error}"
            raise TppClientError(msg) from error

    def wait(self, auth_req_id: str, *, seconds: float = PING_SECONDS) -> None:
        """Return when the bank has told that this request is decided; raises `TppClientError` when it does not in time."""
        self._server.expected = ExpectedPing(path=self._path, token=self._token, auth_req_id=auth_req_id)
        deadline = time.monotonic() + seconds
        while not self._server.is_told and len(self._server.refused) < _MOST_REFUSED:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self._server.timeout = left
            self._server.handle_request()
        if not self._server.is_told:
            raise TppClientError(self._untold(seconds))

    def _untold(self, seconds: float) -> str:
        refused = "; ".join(dict.fromkeys(self._server.refused))
        came = f"What came was refused: {refused}. " if refused else ""
        return (
            f"the bank has not told {self._endpoint.url} within {seconds:g} s that the PSU has decided. {came}"
            "It calls an address inside only where its operator says so: "
            f"GATEWAY_INTERNAL_CLIENT_HOSTS={self._endpoint.authority} sandbox up; what went wrong stands as ciba.ping_failed "
            "in var/log/authorization.jsonl"
        )

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Listen no more."""
        self._server.server_close()


def _context(credential: Credential) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(credential.certificate, credential.key)
    except OSError as error:  # ssl.SSLError is one
        folder = credential.certificate.parent
        msg = (
            f"{credential.certificate} and {credential.key.name} can't be used for the endpoint where the bank pings us "
            f"({error.strerror or error}): `sandbox cert listener {folder.name}` makes them"
        )
        raise IdentityUnusable(msg) from error
    return context


class _PingServer(HTTPServer):
    """Judges what comes, and remembers whether it was the ping that is waited for."""

    expected: ExpectedPing

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext) -> None:
        super().__init__(address, _PingHandler)
        self._context = context
        self.is_told = False
        self.refused: list[str] = []

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Take a connection and shake hands, within a deadline: `HTTPServer` goes on where either fails."""
        plain, caller = super().get_request()
        plain.settimeout(_READ_SECONDS)
        try:
            return self._context.wrap_socket(plain, server_side=True), caller
        except OSError as error:
            plain.close()
            self.refused.append(f"a connection without TLS: {error}")
            raise

    def handle_error(self, *_: object) -> None:
        """Go on: whoever breaks off is nobody's concern."""
        self.refused.append("a request that broke off")

    def judged(self, ping: Ping) -> HTTPStatus:
        """Return what its sender is answered (CIBA Core §10.2: 204 for a ping that is taken)."""
        try:
            require_ping(ping, self.expected)
        except PingRefused as refusal:
            self.refused.append(str(refusal))
            return refusal.status
        self.is_told = True
        return HTTPStatus.NO_CONTENT


class _PingHandler(BaseHTTPRequestHandler):
    server: _PingServer
    timeout = _READ_SECONDS

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _MOST_BODY_BYTES:
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        self._judge(self.rfile.read(int(length)))

    def do_GET(self) -> None:
        self._judge(b"")

    def _judge(self, body: bytes) -> None:
        authorization = self.headers.get("Authorization", "")
        self._answer(self.server.judged(Ping(method=self.command, path=self.path, authorization=authorization, body=body)))

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent: the story tells what counts."""
