"""Files written whole or not at all, private ones never readable by others, not even for a moment."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Write a secret (a private key) as mode 0600; its folder is made 0700 if missing; raises `OSError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _replace(path, data, mode=0o600)


def write_public(path: Path, data: bytes) -> None:
    """Write a file that anybody may read (a certificate) as mode 0644; raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, data, mode=0o644)


def _replace(path: Path, data: bytes, *, mode: int) -> None:
    # A new name beside the target, created with its final mode, then renamed over it: readers see old or new, never half.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
