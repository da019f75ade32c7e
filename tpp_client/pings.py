"""Being told that a PSU has decided: which pings are believed (OpenID CIBA Core 1.0 §10.2)."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tpp_client.errors import TppClientError

if TYPE_CHECKING:
    from tpp_client.identity import Credential

_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class PingEndpoint:
    """Where the client has registered to be pinged, and what its server there presents."""

    url: str
    credential: Credential

    @property
    def authority(self) -> str:
        """Return `host:port`, as the bank's operator names hosts that it may call."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or 443}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """What came, judged or not; its secrets stay out of the repr."""

    method: str
    path: str
    authorization: str = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPing:
    """The ping that is waited for: of which request, by which token."""

    path: str
    token: str = field(repr=False)
    auth_req_id: str = field(repr=False)


class PingRefused(TppClientError):
    """A ping that is not believed; `status` is what its sender hears."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        """Say why."""
        super().__init__(f"{status.value}: {why}")
        self.status = status


def require_ping(ping: Ping, expected: ExpectedPing) -> None:
    """Raise `PingRefused` unless it comes from the bank, by the token that it was given, and is about this request."""
    if ping.path != expected.path:
        raise PingRefused(HTTPStatus.NOT_FOUND, "another path than the one registered")
    if ping.method != "POST":
        raise PingRefused(HTTPStatus.METHOD_NOT_ALLOWED, "no POST (CIBA Core §10.2)")
    scheme, token = ping.authorization[: len(_BEARER)], ping.authorization[len(_BEARER) :]
    if scheme.lower() != _BEARER or not hmac.compare_digest(token.encode(), expected.token.encode()):
        raise PingRefused(HTTPStatus.UNAUTHORIZED, "not the client_notification_token of this request (CIBA Core §10.2)")
    if not hmac.compare_digest(_auth_req_id(ping.body).encode(errors="replace"), expected.auth_req_id.encode()):
        raise PingRefused(HTTPStatus.BAD_REQUEST, "another auth_req_id than that of this request (CIBA Core §10.2)")


def _auth_req_id(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    told = document.get("auth_req_id") if isinstance(document, dict) else None
    if not isinstance(told, str):
        raise PingRefused(HTTPStatus.BAD_REQUEST, "no JSON object with an auth_req_id (CIBA Core §10.2)")
    return told
