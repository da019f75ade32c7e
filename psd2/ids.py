"""Identifiers with a type each, so that a payment's id can't be passed where a consent's is meant."""

from __future__ import annotations

import secrets
import uuid
from typing import NewType

_VARIANT = {digit: "89ab"[int(digit, 16) & 0b11] for digit in "0123456789abcdef"}  # RFC 9562 §4.1
_BLOCK = 128

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
    return _time_ordered_uuid(milliseconds, secrets.token_hex(10))


def _time_ordered_uuid(milliseconds: int, random: str) -> str:
    """Write it with 20 random hexadecimal digits; of one of them two bits count, the others are the variant's."""
    moment = f"{milliseconds:012x}"
    return f"{moment[:8]}-{moment[8:]}-7{random[:3]}-{_VARIANT[random[3]]}{random[4:7]}-{random[7:19]}"


class TimeOrderedUuids:
    """Makes UUIDs of version 7 for one process, one after the other: asks the system for randomness in blocks."""

    def __init__(self) -> None:
        """Ask for nothing yet: a process that is forked before the first must not share any with its siblings."""
        self._block: list[str] = []

    def new(self, milliseconds: int) -> str:
        """Return one of this moment."""
        if not self._block:
            digits = secrets.token_hex(10 * _BLOCK)
            self._block = [digits[at : at + 20] for at in range(0, len(digits), 20)]
        return _time_ordered_uuid(milliseconds, self._block.pop())


def new_secret(nbytes: int = 32) -> str:
    """Return `nbytes` of operating-system randomness as base64url, for tokens and codes."""
    return secrets.token_urlsafe(nbytes)
