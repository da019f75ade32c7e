"""Identifiers with a type each, so that a payment's id can't be passed where a consent's is meant."""

from __future__ import annotations

import secrets
import uuid
from typing import NewType

TenantId = NewType("TenantId", str)
PsuId = NewType("PsuId", str)
AccountId = NewType("AccountId", str)
ConsentId = NewType("ConsentId", str)
PaymentId = NewType("PaymentId", str)
ClientId = NewType("ClientId", str)
RequestId = NewType("RequestId", str)


def new_uuid() -> str:
    """Return a random UUID (version 4) as 36 characters."""
    return str(uuid.uuid4())


def new_secret(nbytes: int = 32) -> str:
    """Return `nbytes` of operating-system randomness as base64url, for tokens and codes."""
    return secrets.token_urlsafe(nbytes)
