"""The outer form of a signing request: PEM or DER (RFC 7468 §7, X.690), and what people send in its place.

A private key is recognised in every dress before anything else is said, and nothing of it goes into a message.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from sandbox.ca.errors import CsrRefused

if TYPE_CHECKING:
    from collections.abc import Callable

_REQUEST_LABELS: Final = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----(.*?)-----END \1-----", re.DOTALL)
_MARK: Final = b"-----BEGIN "
_KEY_LABEL: Final = b"PRIVATE KEY-----"
_LONG_FORM: Final = 0x80  # X.690 §8.1.3: the length stands in one octet below this, in several from here
_HEAD: Final = 2
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
# Object identifiers in DER: PKCS #12 wraps `data`, PKCS #7 is `signedData` (RFC 7292 §4, RFC 5652 §5.1).
_DATA, _SIGNED_DATA = bytes.fromhex("06092a864886f70d010701"), bytes.fromhex("06092a864886f70d010702")
_WHERE_THEY_STAND: Final = 40
_UNREADABLE: Final = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.InvalidVersion)

_PRIVATE_KEY: Final = (
    "this holds a private key, which must never be sent to anybody: nothing of it was kept here. "
    "Make a new key, because this one has left its owner, and send the signing request alone"
)
_PKCS12: Final = (
    "this is a PKCS #12 store (.p12, .pfx), which mostly holds a private key, and that must never be sent to anybody: "
    "nothing of it was kept here. Send a signing request"
)
_CERTIFICATE: Final = "this is a certificate, not a request for one: send the file that `openssl req -new` wrote with -out"
_OTHERS: Final = {
    "CERTIFICATE": ("csr.certificate", _CERTIFICATE),
    "X509 CERTIFICATE": ("csr.certificate", _CERTIFICATE),
    "TRUSTED CERTIFICATE": ("csr.certificate", _CERTIFICATE),
    "PUBLIC KEY": (
        "csr.public_key",
        "this is a public key alone: a request also proves that you hold its private half",
    ),
    "X509 CRL": ("csr.unparsable", "this is a revocation list, not a signing request"),
    "PKCS7": ("csr.unparsable", "this is a PKCS #7 bundle of certificates, not a signing request"),
    "CMS": ("csr.unparsable", "this is a CMS message, not a signing request"),
}
_NEITHER: Final = (
    "this is neither PEM nor DER of a PKCS #10 request: a request begins with -----BEGIN CERTIFICATE REQUEST----- (PEM) "
    "or with the octet 0x30 (DER)"
)


def request_der(data: bytes) -> bytes:
    """Return the one request in `data` as DER, unparsed. Raises CsrRefused."""
    if data[:2] in _UTF16:
        raise CsrRefused("csr.encoding", "this is text in UTF-16, as PowerShell writes it: save it as ASCII or UTF-8")
    # A DER request may hold the PEM mark in one of its names, so its own first two octets decide.
    if _is_der(data):
        _refuse_other_der(data)
        return data
    if _KEY_LABEL in data:
        raise CsrRefused("csr.private_key", _PRIVATE_KEY)
    if _MARK in data:
        return _of_pem(data)
    raise _without_marks(data)


def _is_der(data: bytes) -> bool:
    """Answer whether it begins as a SEQUENCE does and text does not (a text may begin with the letter 0, which is 0x30)."""
    if len(data) < _HEAD or data[:1] != b"\x30":
        return False
    return data[1] >= _LONG_FORM or len(data) == _HEAD + data[1]


def _of_pem(data: bytes) -> bytes:
    blocks = [(label.decode("ascii"), body) for label, body in _BLOCK.findall(data)]
    if len(blocks) != data.count(_MARK):
        raise CsrRefused("csr.cut_off", "the PEM is cut off or damaged: each -----BEGIN line needs its -----END line")
    requests = [body for label, body in blocks if label in _REQUEST_LABELS]
    if not requests:
        code, text = _OTHERS.get(blocks[0][0], ("csr.unparsable", f"this is PEM of a {blocks[0][0]}: no CERTIFICATE REQUEST"))
        raise CsrRefused(code, text)
    if len(requests) > 1:
        raise CsrRefused("csr.several", f"the file holds {len(requests)} signing requests: send one at a time")
    return _unarmoured(requests[0])


def _unarmoured(body: bytes) -> bytes:
    try:
        der = base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise CsrRefused(
            "csr.garbage", "what stands between BEGIN and END is no base64 of a PKCS #10 request: copy the file whole"
        ) from error
    _refuse_other_der(der)
    return der


def _without_marks(data: bytes) -> CsrRefused:
    try:
        x509.load_der_x509_csr(base64.b64decode(b"".join(data.split()), validate=True))
    except (binascii.Error, *_UNREADABLE):
        return CsrRefused("csr.unparsable", _NEITHER)
    return CsrRefused(
        "csr.no_marks",
        "the lines around the request are missing: put -----BEGIN CERTIFICATE REQUEST----- before it "
        "and -----END CERTIFICATE REQUEST----- after it",
    )


def _refuse_other_der(der: bytes) -> None:
    """Name other things by what they are; a request, and what nobody can name, pass."""
    if _loads(x509.load_der_x509_csr, der):
        return
    if _is_private_key(der):
        raise CsrRefused("csr.private_key", _PRIVATE_KEY)
    if _loads(x509.load_der_x509_certificate, der):
        raise CsrRefused(*_OTHERS["CERTIFICATE"])
    if _loads(serialization.load_der_public_key, der):
        raise CsrRefused(*_OTHERS["PUBLIC KEY"])
    if _DATA in der[:_WHERE_THEY_STAND]:
        raise CsrRefused("csr.private_key", _PKCS12)
    if _SIGNED_DATA in der[:_WHERE_THEY_STAND]:
        raise CsrRefused(*_OTHERS["PKCS7"])


def _loads(load: Callable[[bytes], object], der: bytes) -> bool:
    try:
        load(der)
    except _UNREADABLE:
        return False
    return True


def _is_private_key(der: bytes) -> bool:
    try:
        serialization.load_der_private_key(der, password=None)
    except TypeError:
        return True  # it wants a password
    except (ValueError, OverflowError, UnsupportedAlgorithm):
        return False
    return True
