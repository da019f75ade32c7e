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


def new_time_ordered_uuid(milliseconds: int) -> str:
    """Return a UUID (version 7, RFC 9562 §5.7) of this moment of the Unix epoch: 74 of its bits are random."""
    random = int.from_bytes(secrets.token_bytes(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (random >> 64 & 0xFFF) << 64 | 0b10 << 62 | (random & 0x3FFF_FFFF_FFFF_FFFF)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_secret(nbytes: int = 32) -> str:
    """Return `nbytes` of operating-system randomness as base64url, for tokens and codes."""
    return secrets.token_urlsafe(nbytes)
