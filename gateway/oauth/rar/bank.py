"""What rich authorization requests need of the bank: that it makes a consent or payment, tells of it, ends it.

Contract: docs/architecture.md §3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.oauth.scope import BerlinScope, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResource:
    """What to make in a TPP's name; `request` None: a consent to what the PSU chooses."""

    tenant: str
    service: Service
    product: str | None
    request: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingResource:
    """A consent or payment as it stands, in the Berlin Group's words, with the accounts that the PSU has picked."""

    status: str
    told: Mapping[str, Any]


class ResourceBank(Protocol):
    """The bank, over the back channel."""

    def make(self, new: NewResource) -> str:
        """Make a consent or payment and return its id; raises `ResourceRefused`, `BankUnavailable`."""

    def standing(self, scope: BerlinScope, *, tenant: str) -> StandingResource:
        """Return what stands; raises `ResourceUnknown`, `BankUnavailable`."""

    def end(self, scope: BerlinScope, *, tenant: str) -> None:
        """End it, or leave it ended; raises `BankUnavailable`."""


class ResourceRefused(Exception):
    """Something that the bank does not make: `faults` are JSON paths, empty for the whole, with what is wrong there."""

    def __init__(self, *, code: str, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(text for _, text in faults))
        self.code = code
        self.faults = faults
