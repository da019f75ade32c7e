"""A client that signs to say who it is (`private_key_jwt`: RFC 7523 §3, FAPI 2.0 SP §5.3.3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from psd2.ids import new_uuid
from tpp_client.errors import IdentityUnusable

if TYPE_CHECKING:
    from pathlib import Path

    from psd2.clock import Clock
    from tpp_client.wire import HttpRequest, HttpResponse, Transport

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS: Final = 60
_PATHS: Final = ("/token", "/par", "/introspect", "/revoke")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSigner:
    """A client's key; `audience` is the issuer, as a text (FAPI 2.0 SP §5.3.3.1)."""

    client_id: str
    audience: str
    key: ECKey = field(repr=False)

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
        return jwt.encode({"alg": "ES256", "kid": self.key.thumbprint()}, claims, self.key)


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
            assertion = self.signer.assertion(now=self.clock.now().timestamp())
            credentials = urlencode({"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion})
            request = replace(request, body=b"&".join(part for part in (request.body or b"", credentials.encode()) if part))
        return self.transport.send(request)


def load_signer(path: Path, *, client_id: str, audience: str) -> ClientSigner:
    """Read the client's key; raises `IdentityUnusable`."""
    try:
        key = ECKey.import_key(path.read_bytes())
    except (OSError, JoseError, ValueError) as error:
        msg = f"{path} can't be read as the client's private key (PEM, EC P-256): {error}"
        raise IdentityUnusable(msg) from error
    return ClientSigner(client_id=client_id, audience=audience, key=key)
