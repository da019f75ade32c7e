"""The twin of a certificate signed with ECDSA: (r, s) and (r, n - s) sign the same statement (SEC 1 §4.1.4).

Whoever has such a certificate can make its twin without any key, and it is as good: whoever looks for a certificate by
its hash has to look for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import SignatureAlgorithmOID

from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

_ECDSA: Final = frozenset(
    {
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
# What certificates' issuers may sign with; their verification knows no other curves.
_CURVES: Final = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
_SEQUENCE, _BIT_STRING = 0x30, 0x03
_LONG_FORM: Final = 0x80


def twin_sha256s(certificate: x509.Certificate) -> Iterator[str]:
    """Return the SHA-256 (hex) of what may be the certificate's twin, for each curve its issuer may have signed with."""
    if certificate.signature_algorithm_oid not in _ECDSA:
        return
    try:
        r, s = decode_dss_signature(certificate.signature)
    except ValueError:
        return  # no signature at all: no chain verifies with it
    for curve in _CURVES:
        if s < curve.group_order:
            yield sha256_hex(_with_signature(certificate, encode_dss_signature(r, curve.group_order - s)))


def _with_signature(certificate: x509.Certificate, signature: bytes) -> bytes:
    """Return the certificate's DER with another signature, which stands last in it (RFC 5280 §4.1)."""
    der = certificate.public_bytes(Encoding.DER)
    header = 2 + (der[1] & ~_LONG_FORM if der[1] & _LONG_FORM else 0)
    rest = der[header:].removesuffix(_encoded(_BIT_STRING, b"\x00" + certificate.signature))
    return _encoded(_SEQUENCE, rest + _encoded(_BIT_STRING, b"\x00" + signature))


def _encoded(tag: int, value: bytes) -> bytes:
    size = len(value)
    if size < _LONG_FORM:
        return bytes([tag, size]) + value
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM | len(octets)]) + octets + value
