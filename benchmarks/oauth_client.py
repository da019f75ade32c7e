"""A client of an authorization server for benchmarks: kept connections over mutual TLS, cookies, one flow after another."""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import sys
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

REDIRECT_URI: Final = "https://localhost:8446/callback"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    body: bytes
    location: str

    def json(self, *expected: int) -> dict[str, Any]:
        """Return the body; any other status ends the run."""
        if self.status not in expected:
            sys.exit(f"{self.status}: {self.body[:300]!r}")
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass
class Caller:
    """One client's connections and cookies."""

    context: ssl.SSLContext
    connections: dict[str, http.client.HTTPSConnection] = field(default_factory=dict)
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    def call(self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Ask over a connection that is kept."""
        parts = urlsplit(url)
        connection = self.connections.get(parts.netloc)
        if connection is None:
            connection = http.client.HTTPSConnection(parts.netloc, context=self.context, timeout=60)
            self.connections[parts.netloc] = connection
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, sent)
        reply = connection.getresponse()
        content = reply.read()
        for line in reply.headers.get_all("Set-Cookie") or ():
            self.cookies.load(line)
        return Answer(reply.status, content, reply.headers.get("Location") or "")

    def post(self, url: str, **parameters: str) -> Answer:
        """Send a form."""
        return self.call("POST", url, urlencode(parameters).encode(), _FORM)

    def close(self) -> None:
        """Close all connections."""
        for connection in self.connections.values():
            connection.close()


@dataclass(frozen=True)
class Server:
    """An authorization server under load: its processes, what it calls its endpoints, and how its PSU decides."""

    name: str
    pids: tuple[int, ...]
    token: str
    par: str
    client_id: str
    wish: Mapping[str, str]
    authorized: Callable[[Caller, str], str]
    context: ssl.SSLContext

    def client_token(self, caller: Caller) -> None:
        """Fetch a token for the client alone."""
        caller.post(self.token, grant_type="client_credentials", client_id=self.client_id).json(200)

    def flow(self, caller: Caller) -> None:
        """Go from PAR to a token."""
        caller.cookies = SimpleCookie()
        verifier = secrets.token_urlsafe(32)
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        pushed = caller.post(self.par, client_id=self.client_id, **asked, **self.wish).json(201)
        back = self.authorized(caller, urlencode({"client_id": self.client_id, "request_uri": pushed["request_uri"]}))
        code = parse_qs(urlsplit(back).query).get("code")
        if code is None:
            sys.exit(f"{self.name}: no code came back: {back}")
        said = {"code": code[0], "redirect_uri": REDIRECT_URI, "code_verifier": verifier}
        caller.post(self.token, grant_type="authorization_code", client_id=self.client_id, **said).json(200)
