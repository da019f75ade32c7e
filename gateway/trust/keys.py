"""Which keys and signatures of certificates are strong enough (TS 119 312 §6.2.2, SOG-IS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

if TYPE_CHECKING:
    from cryptography import x509

_LEAST_RSA_BITS: Final = 2048
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"})
_BROKEN_HASHES: Final = (hashes.MD5, hashes.SHA1)
_KINDS: Final = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey


def weakness_of_key(certificate: x509.Certificate) -> str | None:
    """Return why the certificate's key is not taken, None where it is."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        return f"its key can't be used: {error}"
    if not isinstance(key, _KINDS):
        return f"its key is of a kind that is not taken: {type(key).__name__}"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _LEAST_RSA_BITS:
        return f"its RSA key has {key.key_size} bits, {_LEAST_RSA_BITS} are needed"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
        return f"its key is on the curve {key.curve.name}, not on one of {', '.join(sorted(_CURVES))}"
    return None


def weakness_of_signature(certificate: x509.Certificate) -> str | None:
    """Return why the certificate's own signature proves nothing, None where it does."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return f"its signature algorithm {certificate.signature_algorithm_oid.dotted_string} is not taken"
    if isinstance(algorithm, _BROKEN_HASHES):
        return f"it is signed with {algorithm.name}, which can be forged: SHA-256 or better is needed"
    return None
