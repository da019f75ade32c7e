"""When the threaded worker closes connections that wait for their next request."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from chassis import turns
from chassis.turns import TurnWorker

if TYPE_CHECKING:
    from chassis.handshakes import IncomingConnection

_NOW = 100.0


class Idle:
    """A connection that waits."""

    def __init__(self, timeout: float) -> None:
        self.timeout, self.is_closed = timeout, False

    def close(self) -> None:
        """Be closed."""
        self.is_closed = True


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> TurnWorker:
    """Return one with three connections, whose time is up a second ago, now and in a second."""
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: _NOW))
    worker = TurnWorker.__new__(TurnWorker)
    waiting = {number: Idle(_NOW + number) for number in (-1, 0, 1)}
    worker._idle, worker.nr_conns = cast("dict[int, IncomingConnection]", waiting), len(waiting)
    return worker


def closed(worker: TurnWorker, *, force: bool = False) -> list[bool]:
    """Let it close connections; return which of them it has."""
    waiting = cast("list[Idle]", list(worker._idle.values()))
    worker.murder_keepalived(force=force)
    return [each.is_closed for each in waiting]


def test_connections_whose_time_is_up_are_closed(worker: TurnWorker) -> None:
    """And counted no more, so that others get in."""
    assert closed(worker) == [True, True, False]
    assert (worker.nr_conns, list(worker._idle)) == (1, [1])


def test_a_worker_that_ends_closes_them_all(worker: TurnWorker) -> None:
    """Whatever time they have left."""
    assert closed(worker, force=True) == [True] * 3
    assert worker.nr_conns == 0


def test_a_stopping_worker_shortens_their_time(worker: TurnWorker) -> None:
    """To what gunicorn grants requests that are on their way."""
    worker._cap_keepalive(_NOW)
    assert closed(worker) == [True] * 3


def test_a_connection_that_a_thread_has_taken_is_not_closed(worker: TurnWorker) -> None:
    """Its time is up while its request is served."""
    taken = cast("Idle", worker._idle.pop(-1))
    assert closed(worker) == [True, False]
    assert not taken.is_closed
