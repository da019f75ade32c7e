"""Somebody with a key, who makes proofs of possession; a change makes a proof wrong in exactly one way."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, serialize_compact

if TYPE_CHECKING:
    from joserfc._rfc7515.model import JWSAlgModel

ALGORITHMS = ["PS256", "ES256", "EdDSA", "Ed25519"]


class _Registry(JWSRegistry):
    """Joserfc's algorithms, without its warning that `EdDSA` has a newer name."""

    def get_alg(self, name: str) -> JWSAlgModel:
        return self.algorithms[name]


_REGISTRY = _Registry(algorithms=[*ALGORITHMS, "RS256"], strict_check_header=False)
_Key = ECKey | OKPKey | RSAKey


@cache
def rsa_key(bits: int = 2048) -> RSAKey:
    """Return an RSA key, the same each time."""
    return RSAKey.generate_key(bits, private=True)


class Prover:
    """A key and its proofs."""

    def __init__(self, key: _Key | None = None, alg: str = "ES256") -> None:
        self.key = key or ECKey.generate_key("P-256", private=True)
        self.alg = alg

    @classmethod
    def of_algorithm(cls, alg: str) -> Prover:
        """Return one with a key for `alg`."""
        if alg == "PS256":
            return cls(rsa_key(), alg)
        return cls() if alg == "ES256" else cls(OKPKey.generate_key("Ed25519", private=True), alg)

    @property
    def jkt(self) -> str:
        """The thumbprint of the key."""
        return str(self.key.thumbprint())

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key."""
        return dict(self.key.as_dict(private=False))

    def proof(
        self, method: str, address: str, *, token: str | None = None, header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        """Return a proof; a change of None leaves a claim, or a member of the header, out."""
        claims = {"jti": secrets.token_urlsafe(16), "htm": method, "htu": address, "iat": int(time.time())}
        if token is not None:
            claims["ath"] = ath_of(token)
        said = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.jwk} | (header or {})
        payload = json.dumps({name: value for name, value in (claims | changes).items() if value is not None})
        members = {name: value for name, value in said.items() if value is not None}
        return serialize_compact(members, payload, self.key, algorithms=[*ALGORITHMS, "RS256"], registry=_REGISTRY)


def ath_of(token: str) -> str:
    """Return the hash of an access token (RFC 9449 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
