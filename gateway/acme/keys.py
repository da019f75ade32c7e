"""Keys of accounts and certificates, and the request that a certificate is issued on (RFC 8555 §7.4, RFC 2986)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from acme.crypto_util import make_csr
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from josepy.jwk import JWKEC

from gateway.acme.model import KeyType

if TYPE_CHECKING:
    from collections.abc import Sequence

_CURVES: Final = {KeyType.EC_P256: ec.SECP256R1, KeyType.EC_P384: ec.SECP384R1}
_RSA_BITS: Final = {KeyType.RSA_2048: 2048, KeyType.RSA_3072: 3072, KeyType.RSA_4096: 4096}
_EXPONENT: Final = 65_537


def new_key(key_type: KeyType) -> str:
    """Return a new private key in PEM."""
    key = (
        ec.generate_private_key(_CURVES[key_type]())
        if key_type in _CURVES
        else rsa.generate_private_key(_EXPONENT, _RSA_BITS[key_type])
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def account_jwk(key_pem: str) -> JWKEC:
    """Return an account's key as JOSE signs with it (ES256)."""
    return JWKEC(key=load_pem_private_key(key_pem.encode("ascii"), password=None))


def request_of(key_pem: str, names: Sequence[str]) -> bytes:
    """Return a certificate signing request in PEM for these DNS names."""
    return make_csr(key_pem.encode("ascii"), domains=list(names))
