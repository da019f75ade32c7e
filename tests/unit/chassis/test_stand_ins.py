"""Threads that stand in for others: one each, and so many at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from chassis.serving.stand_ins import StandIns

if TYPE_CHECKING:
    import pytest


def test_a_thread_has_one_stand_in() -> None:
    """However often it steps aside in a turn."""
    began = threading.Semaphore(0)
    stand_ins = StandIns(began.release)

    stand_ins.step_aside()
    stand_ins.step_aside()

    assert began.acquire(timeout=30)
    assert stand_ins.is_aside()
    assert not began.acquire(blocking=False)


def test_of_too_many_some_hold_their_turn_until_others_are_done() -> None:
    """A place is free again once who has stepped aside ends."""
    stand_ins = StandIns(lambda: None, most=1)
    aside: list[bool] = []

    def turn() -> None:
        stand_ins.step_aside()
        aside.append(stand_ins.is_aside())

    for leaves in (False, True, True):
        thread = threading.Thread(target=turn)
        thread.start()
        thread.join(30)
        if leaves and len(aside) == 2:
            stand_ins.leave()

    assert aside == [True, False, True]


def test_who_finds_nobody_to_stand_in_holds_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that gives no more threads costs none of those that serve, and no place."""
    began = threading.Semaphore(0)
    stand_ins = StandIns(began.release, most=1)

    def refuse(_: threading.Thread) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", refuse)
        stand_ins.step_aside()
    assert not stand_ins.is_aside()

    stand_ins.step_aside()

    assert began.acquire(timeout=30)
    assert stand_ins.is_aside()
