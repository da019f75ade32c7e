"""A client that signs to say who it is (`private_key_jwt`: RFC 7523 §3, FAPI 2.0 SP §5.3.3.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from psd2.ids import new_uuid

if TYPE_CHECKING:
    from psd2.clock import Clock
    from tpp_client.signing_keys import SigningKey
    from tpp_client.wire import HttpRequest, HttpResponse, Transport

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS: Final = 60
_PATHS: Final = ("/token", "/par", "/introspect", "/revoke", "/bc-authorize")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSigner:
    """A client's key; `audience` is the issuer, as a text (FAPI 2.0 SP §5.3.3.1)."""

    client_id: str
    audience: str
    key: SigningKey

    def assertion(self, *, now: float) -> str:
        """Return an assertion for one request."""
        issued_at = int(now)
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": issued_at,
            "exp": issued_at + ASSERTION_SECONDS,
            "jti": new_uuid(),
        }
        return self.key.signed(claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertingTransport:
    """Adds a fresh assertion to every OAuth request on its way to another transport; other requests go as they are."""

    transport: Transport
    signer: ClientSigner
    edge: str
    clock: Clock

    def send(self, request: HttpRequest) -> HttpResponse:
        """Sign where a client has to say who it is, and send."""
        if request.method == "POST" and request.url.startswith(f"{self.edge}/") and urlsplit(request.url).path in _PATHS:
            request = with_assertion(request, self.signer.assertion(now=self.clock.now().timestamp()))
        return self.transport.send(request)


def with_assertion(request: HttpRequest, assertion: str) -> HttpRequest:
    """Return a form with the assertion added to it."""
    credentials = urlencode({"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion})
    return replace(request, body=b"&".join(part for part in (request.body or b"", credentials.encode()) if part))
