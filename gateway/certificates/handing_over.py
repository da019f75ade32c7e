"""Hands a stored certificate with its private key to OpenSSL, which reads files alone: on Linux without any on a disk."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.certificates.model import CertificateVersion


@contextmanager
def held_in_memory(version: CertificateVersion) -> Iterator[Path]:
    """Lend a path with chain and key. Raises `OSError`."""
    with pem_in_memory(version.chain_pem + (version.key_pem or "")) as path:
        yield path


@contextmanager
def pem_in_memory(pem: str) -> Iterator[Path]:
    """Lend a path with this text, bytes as Latin-1: on Linux in memory, elsewhere 0600 and gone at once. Raises `OSError`."""
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile("w", encoding="latin-1") as file:
            file.write(pem)
            file.flush()
            yield Path(file.name)
        return
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem.encode("latin-1"))
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
