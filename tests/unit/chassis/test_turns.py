"""When the threaded worker closes connections that wait for their next request."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from chassis.serving import turns
from chassis.serving.turns import TurnWorker

if TYPE_CHECKING:
    from chassis.serving.handshakes import IncomingConnection

_NOW = 100.0


class Idle:
    """A connection that waits."""

    parser: Any
    sock: Any

    def __init__(self, timeout: float) -> None:
        self.timeout, self.is_closed = timeout, False

    def set_timeout(self) -> None:
        """Wait anew."""

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


def test_a_connection_that_is_closed_while_it_is_put_back_is_counted_out_once(worker: TurnWorker) -> None:
    """By the loop, which has it then; the thread that has served it leaves it at that."""

    def forgotten(*_arguments: object) -> None:
        worker.murder_keepalived(force=True)
        raise FileNotFoundError  # a poller's word on a descriptor that has been closed

    queued: list[object] = []
    worker.handle = lambda _conn: True
    worker.alive, worker._ready = True, cast("Any", SimpleNamespace(modify=forgotten))
    worker.method_queue = SimpleNamespace(defer=queued.append)
    worker.log = SimpleNamespace(exception=lambda *_said: queued.append("an exception"))
    served = Idle(_NOW)
    served.parser = SimpleNamespace(unreader=SimpleNamespace(buf=BytesIO()))
    served.sock = SimpleNamespace(pending=lambda: 0, fileno=lambda: 7)
    worker.nr_conns += 1

    worker._take_turn(cast("IncomingConnection", served))

    assert served.is_closed
    assert (worker.nr_conns, queued) == (0, [])


def test_a_connection_that_a_thread_has_taken_is_not_closed(worker: TurnWorker) -> None:
    """Its time is up while its request is served."""
    taken = cast("Idle", worker._idle.pop(-1))
    assert closed(worker) == [True, False]
    assert not taken.is_closed
