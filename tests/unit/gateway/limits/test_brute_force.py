"""Failed attempts by address: how many are answered, which count, and who hears of a block."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.admission.refusal import Refusal
from gateway.changes.kinds import ChangeKind
from gateway.changes.store import keys_since, tell
from gateway.limits.accounts import StoreUnreachable
from gateway.limits.announcements import announced, read_announcement
from gateway.limits.brute_force import BruteForceGuard, BruteForceRule, is_attempt
from gateway.limits.limiter import Limiter
from psd2.clock import SystemClock
from tests.support.limits import Accounts, Clock

if TYPE_CHECKING:
    from sqlalchemy import Engine

RULE = BruteForceRule(failures=5, seconds=60, block_seconds=30)


class World:
    """Two workers' guards on one store, and what they told each other."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.accounts = Accounts(self.clock)
        self.told: list[tuple[str, float]] = []
        self.guards = [self.guard(), self.guard()]

    def guard(self) -> BruteForceGuard:
        limiter = Limiter(self.accounts, clock=self.clock, most=100, refuses_blind=True)
        return BruteForceGuard(limiter, RULE, self, self.clock)

    def announce(self, address: str, until: float) -> None:
        self.told.append((address, until))

    async def fail(self, reason: str = "token.unknown", *, guard: int = 0, address: str = "192.0.2.1") -> str:
        """Fail once; returns the reason that is answered."""
        try:
            self.guards[guard].require_unblocked(address)
        except Refusal as refusal:
            return refusal.reason
        return (await self.guards[guard].judged(Refusal(reason), address)).reason

    def is_blocked(self, address: str, guard: int = 0) -> bool:
        try:
            self.guards[guard].require_unblocked(address)
        except Refusal:
            return True
        return False


def test_no_more_attempts_are_answered_than_the_limit_says() -> None:
    """Over all workers; what is refused then says nothing about what was tried."""

    async def test() -> None:
        world = World()
        answers = [await world.fail(guard=number % 2) for number in range(20)]
        assert answers.count("token.unknown") == 5
        assert set(answers[5:]) == {"limit.brute_force"}

    asyncio.run(test())


def test_a_block_is_told_to_all_workers_and_ends() -> None:
    """By an announcement, which names address and end."""

    async def test() -> None:
        world = World()
        for _ in range(6):
            await world.fail(guard=0)
        assert world.told == [("192.0.2.1", world.clock.now + 30)]
        assert not world.is_blocked("192.0.2.1", guard=1)
        world.guards[1].note_block(announced(*world.told[0]))
        assert world.is_blocked("192.0.2.1", guard=1)
        world.clock.now += 30
        assert not world.is_blocked("192.0.2.1", guard=0)
        assert not world.is_blocked("192.0.2.1", guard=1)

    asyncio.run(test())


def test_an_operator_lets_an_address_in_again() -> None:
    """A block that ends at once takes the place of the one that stands; an unreadable one changes nothing."""

    async def test() -> None:
        world = World()
        world.guards[0].block("192.0.2.1", world.clock.now + 30)
        world.guards[0].note_block("nonsense")
        assert world.is_blocked("192.0.2.1")
        world.guards[0].note_block("0 192.0.2.1")
        assert not world.is_blocked("192.0.2.1")

    asyncio.run(test())


def test_an_ipv6_subscriber_has_one_count() -> None:
    """Whoever has a /64 has all its addresses; a mapped IPv4 address is the IPv4 address."""

    async def test() -> None:
        world = World()
        for number in range(6):
            await world.fail(address=f"2001:db8:0:1::{number + 1:x}")
        assert world.is_blocked("2001:db8:0:1:ffff::1")
        assert not world.is_blocked("2001:db8:0:2::1")
        world.guards[0].block("192.0.2.9", world.clock.now + 9)
        assert world.is_blocked("::ffff:192.0.2.9")

    asyncio.run(test())


@pytest.mark.parametrize(
    ("reason", "counts"),
    [
        ("token.unknown", True),
        ("token.cnf_mismatch", True),
        ("mtls.untrusted", True),
        ("tpp.unknown", True),
        ("plan.token_unknown", True),
        ("token.expired", False),
        ("token.missing", False),
        ("mtls.missing", False),
        ("mtls.expired", False),
        ("token.scope", False),
        ("psd2.role", False),
        ("route.unknown", False),
        ("plan.not_subscribed", False),
    ],
)
def test_attempts_are_what_could_be_guessed_or_stolen(reason: str, *, counts: bool) -> None:
    """What well-meaning clients meet when something runs out is not."""
    assert is_attempt(Refusal(reason)) is counts


def test_a_success_wipes_nothing() -> None:
    """Only time gives attempts back: nothing that a success does reaches the count."""

    async def test() -> None:
        world = World()
        for _ in range(5):
            await world.fail()
        world.guards[0].require_unblocked("192.0.2.1")
        assert await world.fail() == "limit.brute_force"
        world.clock.now += 30 + 12
        assert await world.fail() == "token.unknown"

    asyncio.run(test())


def test_what_can_not_be_counted_is_not_answered() -> None:
    """Or guesses were free as long as the store is away."""

    async def test() -> None:
        world = World()
        world.accounts.fault = StoreUnreachable("gone")
        assert await world.fail() == "limit.unavailable"

    asyncio.run(test())


def test_the_feed_carries_blocks_to_those_who_start_later(engine: Engine) -> None:
    """A worker that starts asks for those of the time that a block lasts."""
    before = SystemClock().now()
    tell(engine, ChangeKind.BLOCKED_ADDRESS, announced("2001:db8::/64", 1_800_000_000.4), before)
    (key,) = keys_since(engine, ChangeKind.BLOCKED_ADDRESS, before)
    assert read_announcement(key) == ("2001:db8::/64", 1_800_000_000)
    assert keys_since(engine, ChangeKind.CRL, before) == []
