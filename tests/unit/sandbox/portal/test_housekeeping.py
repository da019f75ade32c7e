"""Chores go on whatever happens to one of them."""

from __future__ import annotations

from sandbox.portal.housekeeping import Chore


class Work:
    """Fails as often as told."""

    def __init__(self, failures: int) -> None:
        self.failures, self.times = failures, 0

    def __call__(self) -> None:
        self.times += 1
        if self.times <= self.failures:
            raise ConnectionError("down")


def test_a_chore_is_due_again_after_its_pause() -> None:
    """Nothing is done more often than it should be."""
    chore = Chore("test", Work(0), every_seconds=60)

    chore.do(now=100.0)

    assert chore.due_at == 160.0


def test_a_failing_chore_is_tried_soon_and_then_less_often() -> None:
    """After 1, 2, 4, 8 and then every 15 seconds, never giving up."""
    chore = Chore("test", Work(6), every_seconds=60)

    pauses = []
    for _ in range(7):
        chore.do(now=0.0)
        pauses.append(chore.due_at)

    assert pauses == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 60.0]
