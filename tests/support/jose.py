"""Keys of a client and messages signed with them; what is wrong with one is wrong in exactly one way."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.oauth.jose.key_set import KeySet, read_key_set

if TYPE_CHECKING:
    from collections.abc import Mapping

_Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_SHA256 = hashes.SHA256()
_PSS = padding.PSS(mgf=padding.MGF1(_SHA256), salt_length=32)


@dataclass(frozen=True)
class Signer:
    """A private key, and the algorithm and name that its messages carry; signs without any library for JOSE."""

    alg: str
    kid: str
    key: _Private

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as a client registers it."""
        return {**_public_jwk(self.key), "kid": self.kid}

    def sign(self, claims: Mapping[str, object] | bytes, **header: object) -> str:
        """Sign claims, or any bytes; a header member of None is left out."""
        members = {"alg": self.alg, "kid": self.kid} | header
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        return self.sign_raw(
            json.dumps({name: value for name, value in members.items() if value is not None}).encode(), payload
        )

    def sign_raw(self, header: bytes, payload: bytes) -> str:
        """Sign a header and a payload as they are."""
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self._signature(signed.encode()))}"

    def _signature(self, text: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(text, _PSS, _SHA256)
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(text)
        r, s = utils.decode_dss_signature(self.key.sign(text, ec.ECDSA(_SHA256)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _public_jwk(key: _Private) -> Mapping[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAKey(key.public_key(), None).as_dict(private=False)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return OKPKey(key.public_key(), None).as_dict(private=False)
    return ECKey(key.public_key(), None).as_dict(private=False)


@cache
def es256(kid: str = "ec-1") -> Signer:
    """Return a client's key on P-256, the same each time."""
    return Signer("ES256", kid, ec.generate_private_key(ec.SECP256R1()))


@cache
def ps256(kid: str = "rsa-1") -> Signer:
    """Return a client's RSA key."""
    return Signer("PS256", kid, rsa.generate_private_key(65_537, 2048))


@cache
def eddsa(kid: str = "ed-1") -> Signer:
    """Return a client's key on Ed25519."""
    return Signer("EdDSA", kid, ed25519.Ed25519PrivateKey.generate())


def jwks(*keys: Signer | Mapping[str, object]) -> str:
    """Return a JWK Set of signers' public keys, or of JWKs as they are."""
    return json.dumps({"keys": [key.jwk if isinstance(key, Signer) else dict(key) for key in keys]})


def key_set(*keys: Signer | Mapping[str, object]) -> KeySet:
    """Return such a set, read."""
    return read_key_set(jwks(*keys))


def b64(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()
