"""A person as the PSU: show the authorization URL, wait on the loopback redirect for the browser (RFC 8252 §7.3)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tpp_client.errors import TppClientError

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_SECONDS = 600.0
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1"})
_READ_TIMEOUT_SECONDS = 5.0
_MOST_REQUESTS = 50
_PAGE = b"""<!doctype html><html lang="en"><title>Back at the TPP</title>
<p>Thank you. The terminal goes on from here; you can close this page.</p></html>"""


def loopback_redirect_uri(redirect_uris: tuple[str, ...]) -> str:
    """Return the first registered redirect URI that this machine can listen on; raises `TppClientError`."""
    for uri in redirect_uris:
        parts = urlsplit(uri)
        if parts.scheme == "http" and parts.hostname in _LOOPBACK_HOSTS and parts.port:
            return uri
    msg = (
        f"none of the registered redirect URIs ({', '.join(redirect_uris)}) is a loopback address with a port: "
        "register one such as http://localhost:8450/callback"
    )
    raise TppClientError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserPsu:
    """Shows the URL to a person and waits for the browser to come back."""

    redirect_uri: str
    show: Callable[[str], None]
    wait_seconds: float = WAIT_SECONDS

    def decide(self, url: str) -> str:
        """Return the redirect that the browser followed; raises `TppClientError` when none came in time."""
        parts = urlsplit(self.redirect_uri)
        try:
            server = _RedirectServer(("127.0.0.1", parts.port or 0), parts.path)
        except OSError as error:
            msg = f"can't listen on {self.redirect_uri} for the browser: {error}"
            raise TppClientError(msg) from error
        with server:
            self.show(url)
            return self._awaited(server)

    def _awaited(self, server: _RedirectServer) -> str:
        server.timeout = self.wait_seconds
        for _ in range(_MOST_REQUESTS):
            server.handle_request()
            if server.received is not None:
                parts = urlsplit(self.redirect_uri)
                return f"{parts.scheme}://{parts.netloc}{server.received}"
            if server.timed_out:
                break
        msg = f"no browser came back to {self.redirect_uri} within {self.wait_seconds:g} s"
        raise TppClientError(msg)


class _RedirectServer(HTTPServer):
    """Takes the first request for the redirect path; a browser's other wishes (an icon) get 404."""

    def __init__(self, address: tuple[str, int], path: str) -> None:
        super().__init__(address, _RedirectHandler)
        self.path = path
        self.received: str | None = None
        self.timed_out = False

    def handle_timeout(self) -> None:
        self.timed_out = True


class _RedirectHandler(BaseHTTPRequestHandler):
    server: _RedirectServer
    timeout = _READ_TIMEOUT_SECONDS

    def do_GET(self) -> None:
        found = urlsplit(self.path).path == self.server.path
        if found:
            self.server.received = self.path
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Referrer-Policy", "no-referrer")  # the code is in this page's address
        self.end_headers()
        self.wfile.write(_PAGE if found else b"")

    def log_message(self, *_: object) -> None:
        """Stay silent: the request line holds the code."""
