"""Making one-time codes and hashing them together with what they approve (RTS 2018/389 Art. 5: dynamic linking)."""

from __future__ import annotations

import hashlib
import secrets
from typing import Protocol

from bank_backend.sca.model import CODE_DIGITS

# A code lives five minutes: the cost only has to make guessing a stolen hash slower than that. About 7 ms.
_SCRYPT_COST, _SCRYPT_BLOCK, _SCRYPT_PARALLEL, _HASH_BYTES = 2**11, 8, 1, 32
_SALT_BYTES = 16


class CodeSource(Protocol):
    """Where codes and salts come from."""

    def code(self) -> str:
        """Return a fresh code of `CODE_DIGITS` digits."""

    def salt(self) -> bytes:
        """Return a fresh salt."""


class SystemCodes:
    """Codes from the operating system's randomness."""

    def code(self) -> str:
        """Return a fresh code; every one of the million is equally likely."""
        return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"

    def salt(self) -> bytes:
        """Return a fresh salt."""
        return secrets.token_bytes(_SALT_BYTES)


def hash_code(code: str, *, statement: str, salt: bytes) -> bytes:
    """Return the hash of a code for one statement: the same code approves nothing else."""
    linked = code.encode() + b"\0" + hashlib.sha256(statement.encode()).digest()
    return hashlib.scrypt(linked, salt=salt, n=_SCRYPT_COST, r=_SCRYPT_BLOCK, p=_SCRYPT_PARALLEL, dklen=_HASH_BYTES)
