"""Proofs of possession: a key of the TPP's own, and a proof for each request made with it (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from psd2.ids import new_uuid
from tpp_client.signing_keys import SigningKey, new_signing_key

if TYPE_CHECKING:
    from psd2.clock import Clock
    from tpp_client.wire import HttpRequest, HttpResponse, Transport

TOKEN_TYPE: Final = "DPoP"  # noqa: S105 - a name
_BEARER: Final = "Bearer "
_NONCE_WANTED: Final = "use_dpop_nonce"


class DpopKey:
    """A key that proofs are made with, a new one unless one is given; `clock` tells when they are made."""

    def __init__(self, clock: Clock, key: SigningKey | None = None) -> None:
        """Make proofs by this key."""
        self._clock = clock
        self._key = key or new_signing_key()

    @property
    def jkt(self) -> str:
        """What tokens are bound to (RFC 9449 §6.1)."""
        return self._key.thumbprint

    def proof(self, method: str, url: str, *, token: str | None = None, nonce: str | None = None) -> str:
        """Return a proof for one request, and for the access token that goes with it; `url` without query."""
        claims: dict[str, Any] = {
            "jti": new_uuid(),
            "htm": method,
            "htu": url,
            "iat": int(self._clock.now().timestamp()),
            **({"nonce": nonce} if nonce else {}),
        }
        if token is not None:
            digest = hashlib.sha256(token.encode("ascii")).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
        public = {name: value for name, value in self._key.public.items() if name not in {"kid", "alg", "use"}}
        return self._key.signed(claims, header={"typ": "dpop+jwt", "jwk": public})

    def headers(self, method: str, url: str, token: str, *, nonce: str | None = None) -> dict[str, str]:
        """Return what goes with a request to a resource (RFC 9449 §7.1)."""
        return {"Authorization": f"{TOKEN_TYPE} {token}", "DPoP": self.proof(method, url, token=token, nonce=nonce)}


@dataclass(slots=True, kw_only=True)
class ProvingTransport:
    """Speaks for a client whose tokens are bound to a key: whatever would carry a token as Bearer carries it with a proof.

    A server that asks for a nonce of its own gets it at once, and from then on (RFC 9449 §8).
    """

    transport: Transport
    key: DpopKey
    edge: str
    _nonce: str | None = field(default=None, init=False)

    def send(self, request: HttpRequest) -> HttpResponse:
        """Prove possession where that is asked for, and send."""
        if not request.url.startswith(f"{self.edge}/"):
            return self.transport.send(request)
        response = self.transport.send(self._proven(request))
        told = response.headers.get("dpop-nonce")
        asked_again = told is not None and told != self._nonce and _asks_for_nonce(response)
        self._nonce = told or self._nonce
        return self.transport.send(self._proven(request)) if asked_again else response

    def _proven(self, request: HttpRequest) -> HttpRequest:
        address = urlunsplit((*urlsplit(request.url)[:3], "", ""))
        token = request.headers.get("Authorization", "").removeprefix(_BEARER)
        if token and request.headers["Authorization"].startswith(_BEARER):
            proof = self.key.headers(request.method, address, token, nonce=self._nonce)
        elif request.method == "POST" and urlsplit(request.url).path == "/token":
            proof = {"DPoP": self.key.proof(request.method, address, nonce=self._nonce)}
        else:
            return request
        return replace(request, headers={**request.headers, **proof})


def _asks_for_nonce(response: HttpResponse) -> bool:
    """Answer whether a request is refused for its nonce alone: by the token endpoint (§8), or by a resource (§9)."""
    if response.status == HTTPStatus.UNAUTHORIZED and _NONCE_WANTED in response.headers.get("www-authenticate", ""):
        return True
    return response.status == HTTPStatus.BAD_REQUEST and _NONCE_WANTED.encode() in response.body
