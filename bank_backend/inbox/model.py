"""A message to a PSU, as its phone or mailbox would show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from psd2.ids import PsuId, TenantId


class Channel(StrEnum):
    """How the message would travel outside the sandbox."""

    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A delivered message."""

    tenant: TenantId
    psu: PsuId
    at: datetime
    channel: Channel
    subject: str
    text: str
