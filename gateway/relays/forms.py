"""The forms in which relays write a client's certificate into a header, each read strictly: one certificate, or none.

What is read here is only somebody's word on which certificate there was; whether it is any good is judged afterwards.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from cryptography import x509

from gateway.relays.model import Form
from psd2.client_cert_header import MalformedClientCert, decode_client_cert
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USUAL_HEADERS: Final[Mapping[Form, str]] = {
    Form.RFC9440: "Client-Cert",
    Form.XFCC: "X-Forwarded-Client-Cert",
    Form.NGINX: "X-SSL-Client-Cert",
    Form.AWS_ALB: "X-Amzn-Mtls-Clientcert",
    Form.BASE64_DER: "X-Client-Cert",
}
_MOST_CHARACTERS: Final = 32 * 1024
_MOST_CERTIFICATES: Final = 10
# Each byte can be read in one way only: the time is linear whatever comes.
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)-----END CERTIFICATE-----(?:\r?\n)*")
# A value as a component of a URL (RFC 3986 §2.3): nginx escapes all else, AWS leaves `+`, `=` and `/` as they are.
_ESCAPED: Final = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+")
_ESCAPED_BY_AWS: Final = re.compile(r"(?:[A-Za-z0-9._~+=/-]|%[0-9A-Fa-f]{2})+")
# One `key=value` of an XFCC element: a token, or a text in quotes with \" and \\ in it.
_XFCC_PAIR: Final = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^";,]*)(;|,|$)')
_XFCC_SINGLE: Final = frozenset({"cert", "chain", "hash", "subject"})


class MalformedValue(ValueError):
    """A value that is no certificate in this form; the message says why, without quoting it."""


@dataclass(frozen=True, slots=True)
class Presented:
    """The client's certificate in DER, and what the relay says stood above it."""

    leaf: bytes
    chain: tuple[bytes, ...] = ()


def read_value(form: Form, value: str) -> Presented:
    """Read a header's value; raises `MalformedValue`."""
    if len(value) > _MOST_CHARACTERS:
        msg = f"has {len(value)} characters, at most {_MOST_CHARACTERS} are read"
        raise MalformedValue(msg)
    return _READERS[form](value.strip(" \t"))


def read_rfc9440_chain(values: list[str]) -> tuple[bytes, ...]:
    """Read `Client-Cert-Chain`: a list of byte sequences, over several lines or in one (RFC 9440 §2.3); `MalformedValue`."""
    members = [member.strip(" \t") for value in values for member in value.split(",")]
    if len(members) > _MOST_CERTIFICATES:
        msg = f"Client-Cert-Chain lists {len(members)} certificates, at most {_MOST_CERTIFICATES} are read"
        raise MalformedValue(msg)
    return tuple(_rfc9440(member).leaf for member in members)


def _rfc9440(value: str) -> Presented:
    try:
        return Presented(_certificate(decode_client_cert(value)))
    except MalformedClientCert as error:
        raise MalformedValue(str(error)) from error


def _nginx(value: str) -> Presented:
    return _single(_escaped_pem(value, _ESCAPED))


def _aws_alb(value: str) -> Presented:
    """Read AWS's: the leaf, and in pass-through mode what the client sent above it."""
    return _escaped_pem(value, _ESCAPED_BY_AWS)


def _xfcc(value: str) -> Presented:
    pairs = _xfcc_pairs(value)
    if "cert" not in pairs:
        msg = "the XFCC element has no Cert: let the relay set it (Envoy: set_current_client_cert_details.cert)"
        raise MalformedValue(msg)
    presented = _single(_escaped_pem(pairs["cert"], _ESCAPED_BY_AWS))
    said = pairs.get("hash")
    if said is not None and said.lower() != sha256_hex(presented.leaf):
        msg = "Hash and Cert of the XFCC element are of different certificates"
        raise MalformedValue(msg)
    return presented


def _xfcc_pairs(value: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    place = 0
    while place < len(value):
        match = _XFCC_PAIR.match(value, place)
        if match is None:
            msg = "is no list of key=value pairs"
            raise MalformedValue(msg)
        key, text, end = match[1].lower(), match[2], match[3]
        if end == ",":
            msg = "tells of more than one certificate: let the relay replace the header, not append to it"
            raise MalformedValue(msg)
        if key in pairs and key in _XFCC_SINGLE:
            msg = f"has {key} twice"
            raise MalformedValue(msg)
        pairs[key] = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
        place = match.end()
    return pairs


def _base64_der(value: str) -> Presented:
    try:
        der = base64.b64decode(value, validate=True)
    except ValueError as error:  # binascii.Error, or not ASCII
        msg = "is no base64"
        raise MalformedValue(msg) from error
    return Presented(_certificate(der))


def _single(presented: Presented) -> Presented:
    if presented.chain:
        msg = "holds more than one certificate"
        raise MalformedValue(msg)
    return presented


def _escaped_pem(value: str, pattern: re.Pattern[str]) -> Presented:
    if not pattern.fullmatch(value):
        msg = "is no URL-encoded PEM"
        raise MalformedValue(msg)
    pem = unquote_to_bytes(value)
    blocks, end = [], 0
    for match in _PEM.finditer(pem):
        if match.start() != end:
            break
        blocks.append(match[1])
        end = match.end()
    if not blocks or end != len(pem) or len(blocks) > _MOST_CERTIFICATES:
        msg = f"is no PEM of 1 to {_MOST_CERTIFICATES} certificates and nothing else"
        raise MalformedValue(msg)
    leaf, *chain = [_certificate(_decoded(block)) for block in blocks]
    return Presented(leaf, tuple(chain))


def _decoded(block: bytes) -> bytes:
    try:
        return base64.b64decode(block.replace(b"\r", b"").replace(b"\n", b""), validate=True)
    except ValueError as error:
        msg = "its PEM holds no base64"
        raise MalformedValue(msg) from error


def _certificate(der: bytes) -> bytes:
    """Return what is exactly one certificate in DER."""
    try:
        x509.load_der_x509_certificate(der)  # bytes after it are refused too
    except (ValueError, x509.InvalidVersion) as error:
        msg = "is no certificate in DER"
        raise MalformedValue(msg) from error
    return der


_READERS: Final[Mapping[Form, Callable[[str], Presented]]] = {
    Form.RFC9440: _rfc9440,
    Form.XFCC: _xfcc,
    Form.NGINX: _nginx,
    Form.AWS_ALB: _aws_alb,
    Form.BASE64_DER: _base64_der,
}
