"""Makes the server's private keys, and signs with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import serialize_compact

from gateway.oauth.jose.algorithms import LEAST_RSA_BITS
from gateway.oauth.jose.jws import REGISTRY
from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from collections.abc import Mapping

PrivateKey = RSAKey | ECKey | OKPKey
_TYPES: Final[Mapping[SigningAlg, type[PrivateKey]]] = {
    SigningAlg.PS256: RSAKey,
    SigningAlg.ES256: ECKey,
    SigningAlg.EDDSA: OKPKey,
}


def new_private_key(alg: SigningAlg) -> PrivateKey:
    """Make a key for an algorithm."""
    if alg is SigningAlg.PS256:
        return RSAKey.generate_key(LEAST_RSA_BITS)
    return ECKey.generate_key("P-256") if alg is SigningAlg.ES256 else OKPKey.generate_key("Ed25519")


def written(key: PrivateKey) -> bytes:
    """Return the private key as DER (PKCS #8), to be sealed."""
    return key.get_op_key("sign").private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def read(alg: SigningAlg, der: bytes) -> PrivateKey:
    """Return the private key that was written."""
    return _TYPES[alg].import_key(der)


def public_jwk(key: PrivateKey, alg: SigningAlg) -> dict[str, object]:
    """Return what is published of a key; its `kid` is its thumbprint (RFC 7638)."""
    return {**key.as_dict(private=False), "use": "sig", "alg": alg.value, "kid": key.thumbprint()}


def signed(payload: bytes, key: PrivateKey, *, kid: str, alg: SigningAlg, typ: str) -> str:
    """Return the compact JWS."""
    header = {"alg": alg.value, "kid": kid, "typ": typ}
    return serialize_compact(header, payload, key, algorithms=[alg.value], registry=REGISTRY)


def raw_signature(message: bytes, key: PrivateKey, *, alg: SigningAlg) -> bytes:
    """Return the signature of bytes as RFC 7518 §3 forms it, of which RFC 9421 §3.3.7 makes a message's."""
    return REGISTRY.get_alg(alg.value).sign(message, key)
