"""The limit on failed authentication by address: whoever has failed too often is refused before anything is looked at.

A failure is answered only once it is counted, so that no more guesses are judged than the limit says, whatever worker they
come to; who is blocked, all workers hear of by the change feed. A success neither lifts nor lowers anybody's count.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger
from gateway.admission.refusal import Refusal
from gateway.admission.stages import Stage
from gateway.limits.accounts import StoreUnreachable
from gateway.limits.addresses import counted_address
from gateway.limits.announcements import read_announcement
from gateway.limits.limiter import LimitReached
from gateway.limits.model import Limit, LimitKey, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.limits.limiter import Limiter

_MOST_BLOCKED: Final = 100_000
_STAGES: Final = frozenset(
    {
        Stage.PRESENTED, Stage.BLOCK_LIST, Stage.CERTIFICATE, Stage.REVOCATION, Stage.QWAC, Stage.REGISTER, Stage.TOKEN,
        Stage.BINDING, Stage.SIGNATURE, Stage.SUBSCRIPTION,
    }
)  # fmt: skip
# Nothing was tried, or it was good a moment ago: what well-meaning clients meet.
_NO_ATTEMPTS: Final = frozenset(
    {
        "mtls.missing", "mtls.expired", "mtls.not_yet_valid", "mtls.revocation_unknown", "token.missing", "token.expired",
        "signature.missing", "plan.not_subscribed",
    }
)  # fmt: skip
_UNAUTHENTICATED: Final = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class BruteForceRule:
    """At most `failures` at once and in `seconds` on average; who exceeds them is blocked for `block_seconds`."""

    failures: int
    seconds: float
    block_seconds: float

    @property
    def limit(self) -> Limit:
        """What failures count to."""
        allowance = Rate(per_second=self.failures / self.seconds, burst=self.failures)
        return Limit(scope="brute force", label="failures", key=LimitKey.ADDRESS, allowance=allowance)


class Announcements(Protocol):
    """Where workers tell each other whom they block."""

    def announce(self, address: str, until: float) -> None:
        """Tell all workers; returns at once."""


class BruteForceGuard:
    """One worker's guard. `clock` tells epoch seconds; addresses are those that counters use (`counted_address`)."""

    def __init__(
        self, limiter: Limiter, rule: BruteForceRule, announcements: Announcements, clock: Callable[[], float]
    ) -> None:
        """Block nobody yet."""
        self._limiter = limiter
        self._limit = rule.limit
        self._rule = rule
        self._announcements = announcements
        self._clock = clock
        self._blocked: dict[str, float] = {}
        self._under_way: set[asyncio.Task[bool]] = set()

    def require_unblocked(self, address: str) -> None:
        """Raise 429 for whoever is blocked."""
        if not self._blocked:
            return
        counted = counted_address(address)
        until = self._blocked.get(counted)
        if until is None:
            return
        now = self._clock()
        if now >= until:
            del self._blocked[counted]
            return
        raise Refusal("limit.brute_force", f"{counted} is blocked", headers=((b"retry-after", b"%d" % ceil(until - now)),))

    def note(self, address: str) -> None:
        """Count a failure that another server has found, and that is answered already."""
        work = asyncio.get_running_loop().create_task(self._count(counted_address(address)))
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)

    async def judged(self, refusal: Refusal, address: str) -> Refusal:
        """Count a refusal, if it is one of a failed attempt; returns what to answer, which says no more once all are used."""
        if not is_attempt(refusal):
            return refusal
        counted = counted_address(address)
        told = f"{counted} has failed too often, last with {refusal.reason}"
        try:
            if await self._count(counted):
                return refusal
        except StoreUnreachable as error:
            return Refusal("limit.unavailable", f"a failed attempt ({refusal.reason}) can't be counted: {error}")
        return Refusal("limit.brute_force", told, headers=((b"retry-after", b"%d" % ceil(self._rule.block_seconds)),))

    async def _count(self, counted: str) -> bool:
        """Count a failure; returns False where that was one too many, and the address is blocked. Raises `StoreUnreachable`."""
        try:
            await self._limiter.spend([self._limiter.meter(self._limit, counted)])
        except LimitReached:
            if counted not in self._blocked:
                until = self._clock() + self._rule.block_seconds
                self.block(counted, until)
                self._announcements.announce(counted, until)
            return False
        return True

    def note_block(self, key: str) -> None:
        """Do what a change says that another worker, or an operator, has appended to the feed."""
        try:
            address, until = read_announcement(key)
        except ValueError:
            get_logger().error("limits.block_unreadable", key=key)
            return
        self.block(address, until)

    def block(self, address: str, until: float) -> None:
        """Block an address; one whose time has passed is let in again."""
        if until <= self._clock():
            self._blocked.pop(address, None)
            return
        while len(self._blocked) >= _MOST_BLOCKED:
            del self._blocked[next(iter(self._blocked))]
        self._blocked[address] = until


def is_attempt(refusal: Refusal) -> bool:
    """Whether it refuses something that could have been guessed or stolen."""
    ground = refusal.ground
    is_authentication = ground.status == _UNAUTHENTICATED or ground.reason == "plan.token_unknown"
    return is_authentication and ground.stage in _STAGES and ground.reason not in _NO_ATTEMPTS
