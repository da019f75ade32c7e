"""Password hashes: Argon2id as a PHC string, with the least cost that OWASP's Password Storage Cheat Sheet accepts."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_ITERATIONS, _LANES, _MEMORY_KIB, _LENGTH_BYTES = 2, 1, 19_456, 32
MOST_PASSWORD_CHARACTERS: Final = 128
# A hash of nothing anybody knows, so that an unknown login costs the same time as a wrong password.
DECOY_HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def hash_password(password: str, *, salt: bytes) -> str:
    """Return the PHC string of `password`; about 30 ms."""
    kdf = Argon2id(salt=salt, length=_LENGTH_BYTES, iterations=_ITERATIONS, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return kdf.derive_phc_encoded(password.encode())


def is_password(password: str, phc: str) -> bool:
    """Tell whether `password` made the hash; a longer one than any the bank accepts is none."""
    if len(password) > MOST_PASSWORD_CHARACTERS:
        return False
    try:
        Argon2id.verify_phc_encoded(password.encode(), phc)
    except InvalidKey:
        return False
    return True
