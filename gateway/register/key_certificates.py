"""The certificates that a client's registered keys name as their own (`x5c`, RFC 7517 §4.7): what RFC 8705 §2.2 compares by."""

from __future__ import annotations

import base64
from binascii import Error as NotBase64
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from gateway.trust.keys import weakness_of_key
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def certificate_of(key: Mapping[str, Any]) -> x509.Certificate | None:
    """Return the certificate that a JWK names as its own, None where it names none; raises `ValueError`."""
    chain = key.get("x5c")
    if chain is None:
        return None
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        raise ValueError("must be a list of certificates, each DER in base64")
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(chain[0], validate=True))
    except NotBase64 as error:
        raise ValueError("must be DER in base64, not in base64url") from error
    try:
        own = import_key(dict(key)).raw_value
    except JoseError as error:
        raise ValueError("stands beside a key that can't be read") from error
    try:
        certified = certificate.public_key()
    except UnsupportedAlgorithm as error:
        raise ValueError("is a certificate of a kind of key that is not supported") from error
    if _subject_key(certified) != _subject_key(own):
        raise ValueError("is a certificate of another key than the one it stands beside")
    return certificate


def self_signed_certificates(jwks: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Give the self-signed certificates that keys of a set name as their own: the key's place, and SHA-256 in hex.

    Others need an authority that vouches for them; what is weak or can't be read is passed over.
    """
    for place, key in enumerate(jwks["keys"]):
        try:
            certificate = certificate_of(key)
        except ValueError:
            continue
        if certificate is not None and is_self_signed(certificate) and weakness_of_key(certificate) is None:
            yield place, sha256_hex(certificate.public_bytes(Encoding.DER))


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Answer whether the certificate's own key has signed it."""
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _subject_key(key: Any) -> bytes:  # noqa: ANN401 - one of cryptography's public keys
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded
