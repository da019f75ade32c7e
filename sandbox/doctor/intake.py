"""From a file's bytes to certificates: PEM or DER (RFC 7468, X.690), one or a bundle.

What else people hand in by mistake is named, a private key above all, and nothing of it goes into a message.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from psd2.certificates import MAX_CERTIFICATE_BYTES
from sandbox.doctor.model import NotExaminable
from sandbox.doctor.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES: Final = MAX_CERTIFICATE_BYTES
MAX_CERTIFICATES: Final = 16
_SHORTEST_LONG_FORM: Final = 0x80  # X.690 §8.1.3: no certificate is so short that its length fits one octet
_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_MAX_LABEL: Final = 64
_CERTIFICATE_LABELS: Final = ("CERTIFICATE", "X509 CERTIFICATE")
_KEY_LABEL: Final = "PRIVATE KEY"
_UNREADABLE = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.InvalidVersion)

_PRIVATE_KEY: Final = (
    "this is a private key, of which nothing is shown: give the certificate that belongs to it, and keep the key to yourself"
)
_SIGNING_REQUEST: Final = (
    "this is a certificate signing request, not a certificate yet: `sandbox cert issue NAME --csr FILE` has it issued"
)
_PKCS12: Final = (
    "this is a PKCS #12 store (.p12, .pfx), which mostly holds a private key: "
    "`openssl pkcs12 -in FILE -clcerts -nokeys -out qwac.crt` takes the certificate out"
)
_PKCS7: Final = (
    "this is a PKCS #7 bundle (.p7b): `openssl pkcs7 -in FILE -print_certs -out qwac.crt` takes the certificates out"
)
_OTHER_LABELS: Final = {
    "CERTIFICATE REQUEST": _SIGNING_REQUEST,
    "NEW CERTIFICATE REQUEST": _SIGNING_REQUEST,
    "PUBLIC KEY": "this is a public key without a certificate around it: nobody vouches for it",
    "X509 CRL": "this is a revocation list, not a certificate: `openssl crl -in FILE -noout -text` shows it",
    "PKCS7": _PKCS7,
    "CMS": _PKCS7,
    "TRUSTED CERTIFICATE": "this is OpenSSL's own form: `openssl x509 -in FILE -out qwac.crt` makes a plain one",
}
# Object identifiers in DER: PKCS #12 wraps `data`, PKCS #7 is `signedData` (RFC 7292 §4, RFC 5652 §5.1).
_DATA, _SIGNED_DATA = bytes.fromhex("06092a864886f70d010701"), bytes.fromhex("06092a864886f70d010702")
_WHERE_THEY_STAND: Final = 40


@dataclass(frozen=True, slots=True)
class Presented:
    """The certificate to examine and what else the file holds; `place` counts from 1."""

    leaf: x509.Certificate
    place: int
    others: tuple[x509.Certificate, ...]
    holds_private_key: bool


class _Block(NamedTuple):
    label: str
    body: bytes


def read_presented(data: bytes) -> Presented:
    """Read a file. Raises NotExaminable."""
    if not data.strip():
        raise NotExaminable("the file is empty: a certificate was expected, in PEM or DER")
    if len(data) > MAX_BYTES:
        raise NotExaminable(f"the file has more than {MAX_BYTES} bytes, which no certificate and no bundle for TLS needs")
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise NotExaminable("the file is text in UTF-16, as PowerShell writes it: save it as ASCII")
    # A DER certificate may hold the PEM mark in one of its names, so its own first two octets decide.
    is_der = data[:1] == b"\x30" and data[1:2] >= bytes((_SHORTEST_LONG_FORM,))
    if _BEGIN in data and not is_der:
        return _of_pem(tuple(_blocks(data)))
    if data[:1] == b"\x30":
        return _presented((_of_der(data),), holds_private_key=False)
    raise NotExaminable(
        "this is neither PEM nor DER: a certificate begins with -----BEGIN CERTIFICATE----- (PEM) or the octet 0x30 (DER)"
    )


def _blocks(data: bytes) -> Iterator[_Block]:
    at = data.find(_BEGIN)
    while at >= 0:
        start = at + len(_BEGIN)
        stop = data.find(_DASHES, start, start + _MAX_LABEL)
        label = data[start:stop] if stop >= 0 else b""
        end = data.find(_END + label + _DASHES, start)
        if not label.isascii() or not label or end < 0:
            raise NotExaminable("the PEM is cut off or damaged: a -----BEGIN line has no -----END line that fits")
        yield _Block(shown(label.decode("ascii")), data[stop + len(_DASHES) : end])
        at = data.find(_BEGIN, end)


def _of_pem(blocks: tuple[_Block, ...]) -> Presented:
    certificates = [block for block in blocks if block.label in _CERTIFICATE_LABELS]
    holds_key = any(block.label.endswith(_KEY_LABEL) for block in blocks)
    if not certificates:
        raise NotExaminable(_PRIVATE_KEY if holds_key else _named(blocks[0].label))
    if len(certificates) > MAX_CERTIFICATES:
        raise NotExaminable(
            f"the file holds {len(certificates)} certificates, at most {MAX_CERTIFICATES} are read: "
            "a bundle for TLS holds the leaf and the authorities above it"
        )
    loaded = tuple(_of_block(block, place, len(certificates)) for place, block in enumerate(certificates, start=1))
    return _presented(loaded, holds_private_key=holds_key)


def _named(label: str) -> str:
    return _OTHER_LABELS.get(label, f"this is PEM of a {label}, not of a certificate")


def _of_block(block: _Block, place: int, count: int) -> x509.Certificate:
    which = f"certificate {place} of {count}: " if count > 1 else ""
    try:
        return x509.load_der_x509_certificate(base64.b64decode(b"".join(block.body.split()), validate=True))
    except binascii.Error as error:
        raise NotExaminable(f"{which}what stands between BEGIN and END is no base64") from error
    except _UNREADABLE as error:
        raise NotExaminable(f"{which}{_no_certificate(error)}") from error


def _of_der(data: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(data)
    except _UNREADABLE as error:
        raise NotExaminable(_mistaken(data) or _no_certificate(error)) from error


def _no_certificate(error: Exception) -> str:
    return f"no X.509 certificate can be read, so the gateway would take it for mtls.malformed: {shown(str(error))}"


def _mistaken(data: bytes) -> str | None:
    """Say what DER it is if it is no certificate."""
    if _is_private_key(data):
        return _PRIVATE_KEY
    if _DATA in data[:_WHERE_THEY_STAND]:
        return _PKCS12
    if _SIGNED_DATA in data[:_WHERE_THEY_STAND]:
        return _PKCS7
    for load, label in (
        (x509.load_der_x509_csr, "CERTIFICATE REQUEST"),
        (x509.load_der_x509_crl, "X509 CRL"),
        (serialization.load_der_public_key, "PUBLIC KEY"),
    ):
        try:
            load(data)
        except _UNREADABLE:
            continue
        return _OTHER_LABELS[label]
    return None


def _is_private_key(data: bytes) -> bool:
    try:
        serialization.load_der_private_key(data, password=None)
    except TypeError:
        return True  # it wants a password
    except (ValueError, OverflowError, UnsupportedAlgorithm):
        return False
    return True


def _presented(certificates: tuple[x509.Certificate, ...], *, holds_private_key: bool) -> Presented:
    """Take the first certificate that is no authority's; a TLS client presents the first of all."""
    place = next((place for place, each in enumerate(certificates) if not is_authority(each)), 0)
    others = certificates[:place] + certificates[place + 1 :]
    return Presented(certificates[place], place + 1, others, holds_private_key)


def is_authority(certificate: x509.Certificate) -> bool:
    """Answer whether it says that it is a certificate authority (RFC 5280 §4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return False
