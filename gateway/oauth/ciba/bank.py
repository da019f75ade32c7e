"""What backchannel authentication needs of the bank: that it asks a PSU in its app, and tells what became of it.

Contract: docs/architecture.md §3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.oauth.scope import BerlinScope


class AskStatus(StrEnum):
    """How far the PSU is."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAsk:
    """Whom to ask about what, for how many seconds, and the words that the TPP shows too."""

    tenant: str
    scope: BerlinScope
    psu: str
    seconds: int
    binding_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPsu:
    """What became of it; `authorisation` is the bank's name for it."""

    authorisation: str
    status: AskStatus
    psu: str
    kind: str
    resource: str


class PsuNotKnown(Exception):
    """The tenant's bank has no such PSU."""


class DecoupledNotOffered(Exception):
    """The tenant's bank asks nobody in an app."""


class BackchannelBank(Protocol):
    """The bank, over the back channel."""

    def ask(self, new: NewAsk) -> AskedPsu:
        """Ask a PSU.

        Raises `PsuNotKnown`, `DecoupledNotOffered`, `ResourceUnknown`, `ResourceNotAwaiting`, `BankUnavailable`.
        """

    def asked(self, authorisation: str, *, tenant: str) -> AskedPsu:
        """Return what became of it; raises `BankUnavailable`."""
