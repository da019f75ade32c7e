"""One counter as one worker sees it: units leased and not spent, and what is known of the shared account. No I/O.

A request takes a unit that is here, or waits for one (`Limiter` leases); where the account is empty, it is refused at once.
"""

from __future__ import annotations

from collections import deque
from math import ceil, floor, inf
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.limits.accounts import Claim
from gateway.limits.model import Quota
from gateway.limits.policy import policy_item
from gateway.limits.terms import Terms, terms_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from gateway.limits.accounts import StoreUnreachable, Taken
    from gateway.limits.model import Limit

_ASK_AGAIN_SECONDS: Final = 1.0  # after a quota was found empty: another worker may have given back what it did not need
_RESERVE_SHARES: Final = 8  # of a slice: once so little is left, more is leased, and is here before it has run out
_LONGEST_LEAD_SECONDS: Final = 0.03  # before a lot ends: the time that a lease may take


class Unit(NamedTuple):
    """Leave for one request: from which account, and until when it is good."""

    account: str
    good_until: float


class Meter:
    """The counter of one value of a limit's key. Times are epoch seconds.

    Units leased together are a lot, and end together; behind the one that is spent from there is at most one more.
    As long as more than `reserve` are `available`, and until `ample_until`, units of `lot` may be taken without a look at
    anything else (`spend_ample`).
    """

    __slots__ = (
        "_claimed_at",
        "_next_available",
        "_next_lot",
        "_slice",
        "_taken_at",
        "ample_until",
        "available",
        "described",
        "empty_until",
        "is_leasing",
        "is_parted",
        "label",
        "left",
        "limit",
        "lot",
        "policy",
        "reserve",
        "terms",
        "touched_at",
        "value",
        "waiting",
    )

    def __init__(self, limit: Limit, value: str, now: float) -> None:
        """Hold nothing yet."""
        self.limit = limit
        self.value = value
        # What answers and records say of it, with every request.
        self.label = limit.label.encode("ascii")
        self.policy = policy_item(limit)
        self.described = limit.described
        self.is_parted = False
        self.terms: Terms = terms_of(limit, value, now)
        self.waiting: deque[asyncio.Future[Unit | None]] = deque()
        self.is_leasing = False
        self.touched_at = now
        self.reserve = 1
        self._slice = 0
        self._claimed_at = 0.0
        self._begin(now)

    def _begin(self, now: float) -> None:
        self.available = self._next_available = 0
        self.lot = self._next_lot = Unit(self.terms.account, 0.0)
        self.ample_until = 0.0
        self.left = self.terms.capacity
        self.empty_until = 0.0
        self._taken_at = now

    def take(self, now: float) -> Unit | None:
        """Take a unit that is here, unless others wait for one."""
        if now >= self.terms.ends_at:
            self._roll(now)
        self.touched_at = now
        if self.waiting:
            return None
        if not self._has_some(now) and not self._advance(now):
            return None
        self.available -= 1
        return self.lot

    def put_back(self, unit: Unit, now: float) -> None:
        """Put back a unit that was not needed after all, where what it came from is still being spent."""
        if unit == self.lot and now < unit.good_until:
            self.available += 1

    def is_empty(self, now: float) -> bool:
        """Whether the account was found empty, and can't have anything yet."""
        return now < self.empty_until

    def is_low(self, now: float) -> bool:
        """Whether to lease more before it is needed."""
        if not self._slice or self._next_available or self.is_leasing or self.is_empty(now):
            return False
        return self.available <= self._slice // _RESERVE_SHARES or now >= self.ample_until

    def may_join(self, now: float) -> bool:
        """Whether to lease more where others lease anyhow, so that all of it is one transaction."""
        held = self.available + self._next_available
        return 2 * held < self._slice and not self.is_leasing and not self.is_empty(now)

    def claim(self, now: float) -> Claim:
        """Return a claim for those who wait, and for as many more as are about to come."""
        if now >= self.terms.ends_at:
            self._roll(now)
        self._slice = min(self._demand(now), self.terms.most_leased(self.left))
        self._claimed_at = now
        self._look_again(is_claimed=True)
        return Claim(
            key=self.terms.account,
            capacity=self.terms.capacity,
            per_second=self.terms.per_second,
            wanted=max(1, len(self.waiting) + self._slice),
            overdraws=self.limit.may_be_exceeded,
            keep_seconds=self.terms.keep_seconds(now),
        )

    def receive(self, claim: Claim, taken: Taken, now: float) -> None:
        """Give each who waits a unit, in the order of their coming; what remains is here for the next."""
        lot = Unit(claim.key, min(taken.at + self.terms.lease_seconds, self.terms.ends_at))
        granted = taken.granted
        while granted and self.waiting:
            granted -= _answer(self.waiting, lot)
        is_exhausted = taken.granted < claim.wanted
        if claim.key == self.terms.account and now < self.terms.ends_at:
            self._keep(lot, granted, now)
            self.left, self._taken_at = taken.left, taken.at
            if is_exhausted:
                self.empty_until = self._empty_until(taken)
        while is_exhausted and self.waiting:
            _answer(self.waiting, None)
        self._look_again(is_claimed=False)

    def fail(self, error: StoreUnreachable) -> None:
        """Tell those who wait that nobody knows."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_exception(error)
        self._look_again(is_claimed=False)

    def unspent(self) -> int:
        """Hand over what is here, to be given back; a rate's units are not: its account has recovered meanwhile."""
        units = self.available + self._next_available
        self.available = self._next_available = self._slice = 0
        return units if isinstance(self.limit.allowance, Quota) else 0

    def figures(self, now: float) -> tuple[int, int]:
        """Return what clients are told of it.

        How many requests may still come, as far as this worker knows (negative where a quota is exceeded), and in how many
        seconds there will be as many as there can be.
        """
        terms = self.terms
        units = self.available if now < self.lot.good_until else 0
        if self._next_available and now < self._next_lot.good_until:
            units += self._next_available
        if not terms.per_second:
            return floor(self.left) + units, max(0, ceil(terms.ends_at - now))
        recovered = self.left + (now - self._taken_at) * terms.per_second
        remaining = floor(min(terms.capacity, recovered)) + units
        return remaining, max(0, ceil((terms.capacity - remaining) / terms.per_second))

    def next_unit_seconds(self, now: float) -> int:
        """Return after how long there may be a unit again, at least 1."""
        until = self.terms.ends_at if self.terms.ends_at < inf else self.empty_until
        return max(1, ceil(until - now))

    def _roll(self, now: float) -> None:
        """Go over to the window of `now`; what was left of the last is worth nothing any more."""
        self.terms = terms_of(self.limit, self.value, now)
        self._begin(now)

    def _has_some(self, now: float) -> bool:
        return self.available > 0 and now < self.lot.good_until

    def _advance(self, now: float) -> bool:
        """Turn to the next lot, if there is one that is still good."""
        units, self._next_available = self._next_available, 0
        if not units or now >= self._next_lot.good_until:
            return False
        self.available, self.lot = units, self._next_lot
        self._look_again(is_claimed=self.is_leasing)
        return True

    def _look_again(self, *, is_claimed: bool) -> None:
        """Set when to look at more than the number of units: at the lot's end; before it, where none is to follow yet."""
        until = self.lot.good_until
        if is_claimed or self._next_available:
            self.reserve, self.ample_until = 1, until
        else:
            self.reserve = max(1, self._slice // _RESERVE_SHARES)
            self.ample_until = until - min(_LONGEST_LEAD_SECONDS, self.terms.lease_seconds / 4)

    def _demand(self, now: float) -> int:
        """Return how many to lease ahead: more where they went too quickly, fewer where many were left."""
        slice_seconds = self.terms.slice_seconds
        since = now - self._claimed_at
        if self.available == 0 or since < slice_seconds:
            return 2 * self._slice + 1
        if self.terms.per_second:
            return max(1, (self._slice - self.available) * 5 // 4)
        return self._slice if since < 4 * slice_seconds else self._slice // 2 + 1

    def _keep(self, lot: Unit, units: int, now: float) -> None:
        if self._has_some(now) or self._advance(now):
            if self._next_available and now < self._next_lot.good_until:
                self._next_available += units  # good no longer than those that they join
            else:
                self._next_available, self._next_lot = units, lot
        else:
            self.available, self.lot = units, lot

    def _empty_until(self, taken: Taken) -> float:
        if self.terms.per_second:
            return taken.at + (1.0 - taken.left) / self.terms.per_second
        return min(self.terms.ends_at, taken.at + _ASK_AGAIN_SECONDS)


def _answer(waiting: deque[asyncio.Future[Unit | None]], unit: Unit | None) -> int:
    """Answer the first who waits; returns how many units that took: none where he has left."""
    waiter = waiting.popleft()
    if waiter.done():
        return 0
    waiter.set_result(unit)
    return 1


def spend_ample(meters: Sequence[Meter], now: float) -> list[Unit] | None:
    """Take a unit of each, if all of them have plenty; else None, and nothing is taken. What nearly every request needs."""
    for meter in meters:
        if meter.available <= meter.reserve or now >= meter.ample_until:
            return None
    units = []
    for meter in meters:
        meter.available -= 1
        meter.touched_at = now
        units.append(meter.lot)
    return units
