"""Certificates of the gateway's own, as its documents hold them, and the authority that issues them for tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cryptography.hazmat.primitives import serialization

from tests.support.pki import Authority, Issued

NOW = dt.datetime.now(dt.UTC)
ROOT = Authority("Root")
ISSUING = Authority("Issuing", parent=ROOT)


def key_pem(issued: Issued, password: bytes | None = None) -> str:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return issued.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode("ascii")


def version(issued: Issued, *, stage: str = "current", **changed: str) -> dict[str, Any]:
    return {"stage": stage, "chain": issued.pem, "key": key_pem(issued)} | changed
