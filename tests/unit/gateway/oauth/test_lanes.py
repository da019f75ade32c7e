"""Who may have this server wait for its own: so many in all, so many of each TPP, and the slow ones beside each other."""

from __future__ import annotations

import pytest

from gateway.oauth.lanes import REMEMBERED_SECONDS, SLOW_SECONDS, Bounds, LaneFull, Lanes


class World:
    """Lanes, and a clock played by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lanes = Lanes(Bounds(overall=4, each=2, slow=1), monotonic=lambda: self.now)

    def is_let_in(self, party: str) -> bool:
        """Tell whether the party may wait; it waits on."""
        try:
            self.lanes.enter(party)
        except LaneFull:
            return False
        return True

    def waits(self, party: str, seconds: float) -> None:
        """Let it wait for a while, and be done."""
        with self.lanes.entered(party):
            self.now += seconds


@pytest.fixture
def world() -> World:
    return World()


def test_one_party_takes_no_more_than_its_share(world: World) -> None:
    assert [world.is_let_in("greedy") for _ in range(3)] == [True, True, False]
    assert world.is_let_in("other")


def test_there_is_a_bound_for_all_together(world: World) -> None:
    assert [world.is_let_in(party) for party in "abcde"] == [True, True, True, True, False]


def test_who_was_slow_lately_waits_beside_the_slow(world: World) -> None:
    """However many of them there are, the others find room."""
    for party in ("slow-1", "slow-2", "slow-3"):
        world.waits(party, SLOW_SECONDS)

    assert [world.is_let_in(party) for party in ("slow-1", "slow-1", "slow-2", "slow-3")] == [True, False, False, False]
    assert [world.is_let_in(party) for party in ("a", "b", "c", "d")] == [True, True, True, False]


def test_a_slow_moment_is_forgotten(world: World) -> None:
    world.waits("once slow", SLOW_SECONDS)
    world.now += REMEMBERED_SECONDS
    assert [world.is_let_in("once slow") for _ in range(2)] == [True, True]


def test_who_is_quick_again_is_as_good_as_any(world: World) -> None:
    world.waits("once slow", SLOW_SECONDS)
    world.waits("once slow", SLOW_SECONDS / 2)
    assert [world.is_let_in("once slow") for _ in range(2)] == [True, True]


def test_a_place_is_given_back_whatever_happens(world: World) -> None:
    for _ in range(5):
        with pytest.raises(OSError, match="broken"), world.lanes.entered("unlucky"):
            raise OSError("broken")
    assert world.is_let_in("unlucky")


def test_nothing_is_remembered_of_those_who_are_gone(world: World) -> None:
    """Many parties come once; what is known of them does not pile up."""
    world.waits("slow", SLOW_SECONDS)
    for number in range(20):
        world.waits(f"party-{number}", 0)
    world.now += REMEMBERED_SECONDS
    world.waits("last", 0)
    assert world.lanes._parties == {}
