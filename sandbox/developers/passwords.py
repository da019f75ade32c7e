"""Passwords: which ones are taken (NIST SP 800-63B §3.1.1.2), and how they are kept (Argon2id, RFC 9106)."""

from __future__ import annotations

import base64
import os
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sandbox.developers.errors import FieldRefused

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

LEAST_PASSWORD_CHARACTERS: Final = 12
MOST_PASSWORD_CHARACTERS: Final = 128
_SALT_BYTES, _HASH_BYTES = 16, 32
_PHC = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one hash costs."""

    memory_kib: int
    passes: int
    lanes: int


# OWASP's Password Storage Cheat Sheet, its first set: 46 MiB, 1 pass, 1 lane. RFC 9106 §4 recommends 64 MiB with 3 passes where
# memory is scarce: four times the work, which on a small machine that runs a whole bank beside is seconds for each sign-in.
RECOMMENDED: Final = Cost(memory_kib=47_104, passes=1, lanes=1)


class Gate(Protocol):
    """Lets a few in at a time."""

    def passage(self) -> AbstractContextManager[None]:
        """Be inside while the block runs; may refuse where too many wait."""


class PasswordHasher:
    """Hashes and verifies, a few at a time: a flood of sign-ins must not take all memory."""

    def __init__(self, *, cost: Cost, gate: Gate) -> None:
        """Hash at this cost, within this gate."""
        self._cost = cost
        self._gate = gate
        # A hash of nothing anybody knows: verifying it costs what verifying a real one costs.
        self._decoy = _decoy(cost)

    def hashed(self, password: str) -> str:
        """Return the PHC string of a password."""
        kdf = Argon2id(
            salt=os.urandom(_SALT_BYTES),
            length=_HASH_BYTES,
            iterations=self._cost.passes,
            lanes=self._cost.lanes,
            memory_cost=self._cost.memory_kib,
        )
        with self._gate.passage():
            return kdf.derive_phc_encoded(_prepared(password))

    def is_right(self, password: str, phc: str | None) -> bool:
        """Tell whether `password` made the hash; without a hash the same work is done, and the answer is no."""
        # A longer password than any that is taken is cut for the work's sake and wrong whatever it is.
        given = _prepared(password[:MOST_PASSWORD_CHARACTERS])
        with self._gate.passage():
            try:
                Argon2id.verify_phc_encoded(given, phc or self._decoy)
            except InvalidKey:
                return False
        return phc is not None and len(password) <= MOST_PASSWORD_CHARACTERS

    def is_outdated(self, phc: str) -> bool:
        """Tell whether a hash was made at another cost than is asked today."""
        found = _PHC.match(phc)
        today = (self._cost.memory_kib, self._cost.passes, self._cost.lanes)
        return found is None or tuple(map(int, found.groups())) != today


def require_acceptable(password: str, *, field: str, told: tuple[str, ...]) -> None:
    """Raise `FieldRefused` for a password too short, too long, or merely one of the words `told` with it.

    No rules of composition: length is what helps, and what is easy to guess here is one's own name (NIST SP 800-63B §3.1.1.2).
    """
    if len(password) < LEAST_PASSWORD_CHARACTERS:
        raise FieldRefused(field, f"Use at least {LEAST_PASSWORD_CHARACTERS} characters: a few words in a row do well.")
    if len(password) > MOST_PASSWORD_CHARACTERS:
        raise FieldRefused(field, f"Use at most {MOST_PASSWORD_CHARACTERS} characters.")
    if len(set(password)) <= 2 or password.casefold() in {word.casefold() for word in told}:  # noqa: PLR2004 - "aaaa…", "abab…"
        raise FieldRefused(field, "This is too easy to guess: use a few words that have nothing to do with you.")


def _prepared(password: str) -> bytes:
    # The same password typed on another keyboard may come in another form (NIST SP 800-63B §3.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _decoy(cost: Cost) -> str:
    salt, digest = (base64.b64encode(os.urandom(count)).rstrip(b"=").decode() for count in (_SALT_BYTES, _HASH_BYTES))
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${digest}"
