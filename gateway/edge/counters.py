"""Wires what a worker counts: plans, limits and their store, failed attempts and who is blocked for them, used proofs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from gateway.changes.kinds import ChangeKind
from gateway.changes.store import keys_since, tell
from gateway.config import BlindRule
from gateway.edge.counting import Counting
from gateway.edge.proof_uses import ProofUses
from gateway.limits.announcements import FeedAnnouncements
from gateway.limits.brute_force import BruteForceGuard, BruteForceRule
from gateway.limits.limiter import Limiter
from gateway.limits.opening import open_store

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.config import GatewaySettings
    from gateway.plans.table import Plans
    from psd2.clock import Clock


@dataclass(slots=True, kw_only=True)
class Counters:
    """What counts in one worker."""

    counting: Counting
    limiter: Limiter
    guard: BruteForceGuard
    proof_uses: ProofUses

    def tidy(self) -> None:
        """Give back what idle counters hold."""
        self.limiter.tidy()

    async def stop(self) -> None:
        """Give back what is left."""
        self.proof_uses.stop()
        await self.limiter.close()


async def counters(settings: GatewaySettings, engine: Engine, plans: Plans, clock: Clock) -> Counters:
    """Return them, knowing who is blocked; call it once the feed is followed. Raises what the store or the database raises."""

    def now() -> float:
        return clock.now().timestamp()

    open_one = partial(open_store, settings.limits_url, now)
    store = await asyncio.to_thread(open_one)
    refuses_blind = settings.limits_without_store is BlindRule.REFUSE
    limiter = Limiter(store, clock=now, most=settings.limits_remembered, refuses_blind=refuses_blind)
    rule = BruteForceRule(
        failures=settings.brute_force_failures,
        seconds=settings.brute_force_seconds,
        block_seconds=settings.brute_force_block_seconds,
    )
    guard = BruteForceGuard(limiter, rule, FeedAnnouncements(partial(tell, engine), now), now)
    since = clock.now() - timedelta(seconds=rule.block_seconds)
    for key in await asyncio.to_thread(keys_since, engine, ChangeKind.BLOCKED_ADDRESS, since):
        guard.note_block(key)
    # Proofs have a connection of their own to the store: neither waits for the other's transactions.
    proof_uses = ProofUses(open_one, seconds=settings.dpop_seconds, clock=now)
    return Counters(counting=Counting(plans, limiter, guard, now), limiter=limiter, guard=guard, proof_uses=proof_uses)
