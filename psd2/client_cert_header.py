"""The `Client-Cert` header field: a certificate as a structured-field byte sequence (RFC 9440 §2.2, RFC 8941 §3.3.5)."""

from __future__ import annotations

import base64

HEADER = "Client-Cert"
_MOST_CHARACTERS = 64 * 1024


class MalformedClientCert(ValueError):
    """A `Client-Cert` value that is not one byte sequence."""


def encode_client_cert(der: bytes) -> str:
    """Write a DER certificate as a `Client-Cert` value."""
    return f":{base64.b64encode(der).decode('ascii')}:"


def decode_client_cert(value: str) -> bytes:
    """Read the DER bytes of a `Client-Cert` value; raises `MalformedClientCert`."""
    text = value.strip(" ")
    if len(text) > _MOST_CHARACTERS:
        msg = f"Client-Cert has {len(text)} characters, at most {_MOST_CHARACTERS} are read"
        raise MalformedClientCert(msg)
    if len(text) < 3 or text[0] != ":" or text[-1] != ":":  # noqa: PLR2004 - two colons and something between
        msg = "Client-Cert is not one byte sequence: write the DER as base64 between two colons (RFC 9440 §2.2)"
        raise MalformedClientCert(msg)
    try:
        return base64.b64decode(text[1:-1], validate=True)
    except ValueError as error:  # binascii.Error, or not ASCII
        msg = f"Client-Cert holds no base64: {error}"
        raise MalformedClientCert(msg) from error
