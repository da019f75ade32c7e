"""Visits at rest are sealed with a key that only the browser's cookie yields: a stolen database opens nothing.

HKDF-SHA256 (RFC 5869) makes from the cookie's 32 random bytes the name of the row and the key, each of the other unknowable.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import TypeAdapter, ValidationError

from tpp_client.web.visits.model import Visit

_NONCE_BYTES = 12
_VISITS = TypeAdapter(Visit)


def row_name(secret: str) -> str:
    """Return under which name a visit is kept: it tells nothing of the cookie."""
    return _derived(secret, b"kontoblick visit name").hex()


def form_token(secret: str) -> str:
    """Return what the forms of this browser carry against forgery."""
    return _derived(secret, b"kontoblick forms").hex()


def seal(visit: Visit, secret: str) -> bytes:
    """Encrypt a visit; it opens under its own name only."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(secret).encrypt(nonce, _VISITS.dump_json(visit), row_name(secret).encode())


def unseal(sealed: bytes, secret: str) -> Visit | None:
    """Decrypt a visit; None for one that is damaged or of another release's shape: it is forgotten, the PSU connects again."""
    try:
        content = _cipher(secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row_name(secret).encode())
        return _VISITS.validate_json(content)
    except (InvalidTag, ValidationError, ValueError):
        return None


def _cipher(secret: str) -> AESGCM:
    return AESGCM(_derived(secret, b"kontoblick visit key"))


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
