"""The keys with which a client signs: PEM files of its own, one algorithm for each kind (FAPI 2.0 SP §5.4.1)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, serialize_compact

from tpp_client.errors import IdentityUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from joserfc._rfc7515.model import JWSAlgModel

ALGORITHMS: Final = ("PS256", "ES256", "EdDSA")
LEAST_RSA_BITS: Final = 2048


class Algorithms(JWSRegistry):
    """The algorithms allowed, and no others; joserfc's own limits are for smaller messages than ours."""

    max_header_length = 2048  # a proof of possession brings its public key along, which may be of RSA
    max_payload_length = 12 * 1024

    def __init__(self, *allowed: str) -> None:
        """Allow these, or all those of FAPI 2.0."""
        super().__init__(algorithms=list(allowed or ALGORITHMS), strict_check_header=False)

    def get_alg(self, name: str) -> JWSAlgModel:
        """Return the algorithm of that name; raises `UnsupportedAlgorithmError`. Without joserfc's word on EdDSA's name."""
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(f"{name} is not allowed")
        return self.algorithms[name]


_REGISTRY: Final = Algorithms()


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key, the one algorithm it is used with, and the name by which others know it."""

    key: ECKey | RSAKey | OKPKey = field(repr=False)
    alg: str
    kid: str

    @property
    def public(self) -> dict[str, Any]:
        """The public half, as a JWK Set holds it."""
        return {**self.key.as_dict(private=False), "kid": self.kid, "alg": self.alg, "use": "sig"}

    @property
    def thumbprint(self) -> str:
        """Who it is, whatever it is called (RFC 7638)."""
        return str(self.key.thumbprint())

    def signed(self, claims: Mapping[str, object], *, header: Mapping[str, object] | None = None) -> str:
        """Return the claims as a signed JWT; `header` adds to the algorithm and the name of the key, or replaces them."""
        told = {"alg": self.alg, "kid": self.kid, **(header or {})}
        return serialize_compact(told, json.dumps(claims), self.key, registry=_REGISTRY)

    def signature(self, message: bytes) -> bytes:
        """Return the signature of bytes, as RFC 7518 §3 forms it."""
        return _REGISTRY.get_alg(self.alg).sign(message, self.key)


def load_signing_key(path: Path, *, registered: Mapping[str, Any] | None = None) -> SigningKey:
    """Read a private key (PEM); raises `IdentityUnusable`.

    `registered` is the JWK Set that the bank knows: the key has to be in it, and is called what it is called there.
    """
    if not path.is_file():
        msg = f"{path} is missing: the client signs, so put the private key of one of its registered keys there (PEM)"
        raise IdentityUnusable(msg)
    try:
        pem = path.read_bytes()
        key, alg = _read(pem)
    except (OSError, ValueError, TypeError) as error:
        msg = f"{path} can't be read as the client's private key (PEM; EC P-256, Ed25519, or RSA of 2048 bits or more): {error}"
        raise IdentityUnusable(msg) from error
    thumbprint = str(key.thumbprint())
    return SigningKey(
        key=key, alg=alg, kid=thumbprint if registered is None else _registered_name(path, thumbprint, registered)
    )


def new_signing_key() -> SigningKey:
    """Make a key for this process alone (EC P-256)."""
    key = ECKey.generate_key("P-256", private=True)
    return SigningKey(key=key, alg="ES256", kid=str(key.thumbprint()))


def _read(pem: bytes) -> tuple[ECKey | RSAKey | OKPKey, str]:
    private = load_pem_private_key(pem, password=None)
    if isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP256R1):
        return ECKey.import_key(pem), "ES256"
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return OKPKey.import_key(pem), "EdDSA"
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= LEAST_RSA_BITS:
        return RSAKey.import_key(pem), "PS256"
    raise ValueError("it is a key of another kind, or a shorter one")


def _registered_name(path: Path, thumbprint: str, registered: Mapping[str, Any]) -> str:
    for entry in registered.get("keys", ()):
        if str(_public(entry).thumbprint()) == thumbprint:
            return str(entry.get("kid", thumbprint))
    msg = f"{path} is none of the keys that the bank knows: register its public half, or put the key there that belongs to one"
    raise IdentityUnusable(msg)


def _public(entry: Mapping[str, Any]) -> ECKey | RSAKey | OKPKey:
    kinds: dict[str, type[ECKey | RSAKey | OKPKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
    return kinds[str(entry["kty"])].import_key(dict(entry))
