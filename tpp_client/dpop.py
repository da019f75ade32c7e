"""Proofs of possession: a key of the TPP's own, and a proof for each request made with it (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Final

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry, serialize_compact

from psd2.ids import new_uuid

if TYPE_CHECKING:
    from psd2.clock import Clock

_ALG: Final = "ES256"
_REGISTRY: Final = JWSRegistry(algorithms=[_ALG], strict_check_header=False)


class DpopKey:
    """A P-256 key that never leaves the process."""

    def __init__(self, clock: Clock) -> None:
        """Make a new one; `clock` tells when its proofs are made."""
        self._clock = clock
        self._key = ECKey.generate_key("P-256", private=True)

    def proof(self, method: str, url: str, *, token: str | None = None) -> str:
        """Return a proof for one request, and for the access token that goes with it; `url` without query."""
        claims: dict[str, object] = {
            "jti": new_uuid(),
            "htm": method,
            "htu": url,
            "iat": int(self._clock.now().timestamp()),
        }
        if token is not None:
            digest = hashlib.sha256(token.encode("ascii")).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
        header = {"typ": "dpop+jwt", "alg": _ALG, "jwk": self._key.as_dict(private=False)}
        return serialize_compact(header, json.dumps(claims), self._key, algorithms=[_ALG], registry=_REGISTRY)

    def headers(self, method: str, url: str, token: str) -> dict[str, str]:
        """Return what goes with a request to a resource (RFC 9449 §7.1)."""
        return {"Authorization": f"DPoP {token}", "DPoP": self.proof(method, url, token=token)}
