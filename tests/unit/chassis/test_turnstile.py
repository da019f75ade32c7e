"""Registrations in a crowd: a few at a time, a few wait, the others are told to come back."""

from __future__ import annotations

import threading

import pytest

from chassis.serving.turnstile import TooBusy, Turnstile


def test_who_finds_no_room_is_told_at_once() -> None:
    """One inside, nobody may wait."""
    turnstile = Turnstile(inside=1, waiting=0, patience_seconds=60)

    with turnstile.passage(), pytest.raises(TooBusy), turnstile.passage():
        pass


def test_who_waits_gets_in_when_somebody_leaves() -> None:
    """The place is handed on."""
    turnstile, entered, leave = Turnstile(inside=1, waiting=1, patience_seconds=10), threading.Event(), threading.Event()

    def stay() -> None:
        with turnstile.passage():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=stay)
    thread.start()
    assert entered.wait(10)
    threading.Timer(0.05, leave.set).start()

    with turnstile.passage():
        assert leave.is_set()
    thread.join(10)


def test_patience_ends() -> None:
    """And leaves its place in the queue to the next."""
    turnstile = Turnstile(inside=1, waiting=1, patience_seconds=0.01)

    with turnstile.passage():
        for _ in range(3):
            with pytest.raises(TooBusy), turnstile.passage():
                pass
    with turnstile.passage():
        pass


def test_a_failure_inside_frees_the_place() -> None:
    """However the block ends."""
    turnstile = Turnstile(inside=1, waiting=0, patience_seconds=1)

    with pytest.raises(ValueError, match="broken"), turnstile.passage():
        raise ValueError("broken")

    with turnstile.passage():
        pass
