"""Certificate thumbprints: hex for people and stores, base64url for `x5t#S256` (RFC 8705 §3.1)."""

from __future__ import annotations

import base64
import hashlib


def sha256_hex(der: bytes) -> str:
    """Return the SHA-256 of a DER certificate as 64 lower-case hex digits."""
    return hashlib.sha256(der).hexdigest()


def x5t_s256(der: bytes) -> str:
    """Return the `x5t#S256` of a DER certificate: base64url of its SHA-256, without padding, 43 characters."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode("ascii")
