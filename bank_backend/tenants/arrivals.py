"""What was asked of a tenant as one call arrived: the call is answered by that."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psd2.ids import TenantId


@dataclass(frozen=True, slots=True)
class Arrival:
    """The caller's tenant as it was when the call in hand arrived."""

    tenant: TenantId
    personality: str
    clock_offset_seconds: int
    has_faults: bool


_IN_HAND: Final[ContextVar[Arrival | None]] = ContextVar("arrival", default=None)


def take_in_hand(arrival: Arrival | None) -> None:
    """Answer by what was asked from here on; None where nothing is known."""
    _IN_HAND.set(arrival)


def arrival_of(tenant: TenantId) -> Arrival | None:
    """Return what was asked for the call in hand; None where there is none, or it is another tenant's."""
    arrival = _IN_HAND.get()
    return arrival if arrival is not None and arrival.tenant == tenant else None


@contextmanager
def answering(arrival: Arrival | None) -> Iterator[None]:
    """Answer an internal call by what was asked for it with `arrived`: it names its tenant wherever it likes."""
    earlier = _IN_HAND.set(arrival)
    try:
        yield
    finally:
        _IN_HAND.reset(earlier)
