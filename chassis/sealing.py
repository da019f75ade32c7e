"""Seals secrets that are kept in a database: AES-256-GCM under a key that does not lie there (NIST SP 800-38D)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.files import write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class SealBroken(Exception):
    """What was sealed was sealed by another key, for another owner, or has been changed."""


class Seal:
    """Seals and opens secrets; each belongs to one `owner` and opens for no other."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        """Use the key that `key` returns, asked for when first needed."""
        self._key = key

    def close(self, secret: bytes, *, owner: str) -> bytes:
        """Return the sealed secret."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._key()).encrypt(nonce, secret, owner.encode())

    def open(self, sealed: bytes, *, owner: str) -> bytes:
        """Return the secret; raises `SealBroken`."""
        try:
            return AESGCM(self._key()).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode())
        except InvalidTag:
            raise SealBroken(f"the secret of {owner} can't be opened: is this the key that it was sealed with?") from None


class KeyFile:
    """A key of its own in a file of mode 0600, made at the first use."""

    def __init__(self, file: Path) -> None:
        """Keep the key in `file`."""
        self._file = file
        self._key: bytes | None = None

    def __call__(self) -> bytes:
        """Return the key."""
        if self._key is None:
            self._key = self._kept() or self._made()
        return self._key

    def _kept(self) -> bytes:
        return self._file.read_bytes() if self._file.exists() else b""

    def _made(self) -> bytes:
        # Two processes that come at once: the second finds the first's key, for the link fails where there is a file.
        fresh = self._file.with_name(f"{self._file.name}.{secrets.token_hex(6)}")
        write_private(fresh, secrets.token_bytes(_KEY_BYTES))
        try:
            self._file.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        return self._file.read_bytes()
