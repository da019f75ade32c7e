"""The shared accounts that workers lease from: a claim for some units, and what is granted. Pure; stores keep the numbers.

An account knows how much is used, and that falls by `per_second`: a quota is an account that never recovers, under the name
of its window. Only a transaction that is alone at the account may change it, so no unit is ever granted twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim for up to `wanted` units of account `key`. `overdraws`: all are granted, and counted beyond the capacity.

    The store may forget the account `keep_seconds` later: it says nothing any more by then.
    """

    key: str
    capacity: float
    per_second: float
    wanted: int
    overdraws: bool
    keep_seconds: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What was granted at the moment `at`, and what the account still has; negative where it is overdrawn."""

    granted: int
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as stored: `used` as of `at`, epoch seconds."""

    used: float
    at: float


class StoreUnreachable(RuntimeError):
    """The shared store can't be asked: nobody knows what is left."""


class AccountStore(Protocol):
    """Where the accounts are; all calls block, and raise `StoreUnreachable`."""

    def take(self, claims: Sequence[Claim]) -> list[Taken]:
        """Grant what there is, claim by claim; each key is there once."""

    def give_back(self, units: Sequence[tuple[str, int]]) -> None:
        """Take back units of quotas that were leased and not spent."""

    def close(self) -> None:
        """Let go of connections."""


def grant(claim: Claim, standing: Standing, now: float) -> tuple[Taken, Standing]:
    """Return what is granted, and how the account stands then. A clock behind the account's neither adds nor takes away."""
    at = max(now, standing.at)
    used = max(0.0, standing.used - (at - standing.at) * claim.per_second)
    room = claim.capacity - used
    granted = claim.wanted if claim.overdraws else max(0, min(claim.wanted, floor(room)))
    return Taken(granted, room - granted, now), Standing(used + granted, at)
