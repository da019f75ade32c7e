"""Whose turn it is among several targets, and what becomes of one that fails."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from gateway.upstreams.health import Balance, Condition
from gateway.upstreams.model import Balancing, Health


@dataclass
class FakeTarget:
    target: str
    busy: int = 0


@dataclass
class FakeClock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def balance(clock: FakeClock, balancing: Balancing = Balancing.ROUND_ROBIN) -> Balance[FakeTarget]:
    targets = [FakeTarget(name) for name in "abc"]
    return Balance("payments", targets, balancing, Health(failures=2, seconds=10), clock)


def served(balanced: Balance[FakeTarget], times: int) -> str:
    names = ""
    for _ in range(times):
        chosen = balanced.order()[0]
        balanced.given_to(chosen)
        names += chosen.one.target
    return names


def test_targets_take_turns(clock: FakeClock) -> None:
    assert served(balance(clock), 7) == "abcabca"


def test_the_least_busy_comes_first_and_equals_take_turns(clock: FakeClock) -> None:
    balanced = balance(clock, Balancing.LEAST_BUSY)
    balanced.standings[0].one.busy = 3
    assert served(balanced, 4) == "bcbc"
    balanced.standings[0].one.busy = 0
    assert set(served(balanced, 3)) == set("abc")


def test_a_target_that_fails_is_left_alone_and_tried_again_later(clock: FakeClock) -> None:
    balanced = balance(clock)
    bad = balanced.standings[1]
    balanced.failed(bad, "upstream.connect")
    assert "b" in served(balanced, 3)
    with capture_logs() as told:
        balanced.failed(bad, "upstream.connect")
        balanced.failed(bad, "upstream.connect")
    assert [each["event"] for each in told] == ["upstream.target_left_alone"]
    assert served(balanced, 4).count("b") == 0
    clock.now += 10
    assert "b" in served(balanced, 3)


def test_each_target_tells_how_it_does(clock: FakeClock) -> None:
    """After its time alone it counts as failing until it has answered."""
    balanced = balance(clock)
    bad, worse, _ = balanced.standings
    balanced.failed(bad, "upstream.connect")
    balanced.failed(worse, "upstream.connect")
    balanced.failed(worse, "upstream.connect")
    assert balanced.conditions() == {"a": Condition.FAILING, "b": Condition.LEFT_ALONE, "c": Condition.SERVING}
    clock.now += 10
    balanced.succeeded(bad)
    assert balanced.conditions() == {"a": Condition.SERVING, "b": Condition.FAILING, "c": Condition.SERVING}


def test_one_more_failure_is_enough_for_one_that_was_left_alone(clock: FakeClock) -> None:
    balanced = balance(clock)
    bad = balanced.standings[0]
    for _ in range(2):
        balanced.failed(bad, "upstream.timeout")
    clock.now += 10
    balanced.failed(bad, "upstream.timeout")
    assert served(balanced, 4).count("a") == 0


def test_an_answer_forgets_earlier_failures(clock: FakeClock) -> None:
    balanced = balance(clock)
    bad = balanced.standings[0]
    for _ in range(3):
        balanced.failed(bad, "upstream.timeout")
        balanced.succeeded(bad)
    assert "a" in served(balanced, 3)


def test_where_all_fail_the_one_that_is_back_soonest_is_tried(clock: FakeClock) -> None:
    """A try is better than a refusal that is certain."""
    balanced = balance(clock)
    for standing in balanced.standings[::-1]:
        for _ in range(2):
            balanced.failed(standing, "upstream.connect")
        clock.now += 1
    assert [each.one.target for each in balanced.order()] == ["c", "b", "a"]
