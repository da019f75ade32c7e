"""gunicorn's worker as the internal servers run it."""

from __future__ import annotations

import logging
import ssl
from concurrent.futures import Future
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from gunicorn.workers.base import Worker

from chassis.serving import handshakes
from chassis.serving.handshakes import HandshakeWorker

if TYPE_CHECKING:
    from chassis.serving.handshakes import IncomingConnection


def test_a_worker_says_that_it_lives_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time it says so a file is touched; gunicorn's own does that three times a request."""
    said: list[None] = []
    moments = iter((100.0, 100.2, 100.9, 101.0, 101.5, 102.1))
    monkeypatch.setattr(Worker, "notify", lambda _: said.append(None))
    monkeypatch.setattr(handshakes, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    worker = HandshakeWorker.__new__(HandshakeWorker)
    worker._next_notice = 0.0

    told = []
    for _ in range(6):
        worker.notify()
        told.append(len(said))

    assert told == [1, 1, 1, 2, 2, 3]


class Peer:
    """A connection in its handshake, as the worker's loop knows it."""

    client, is_secured, is_closed = ("127.0.0.1", 40_000), False, False

    def close_at_once(self) -> None:
        """Be closed."""
        self.is_closed = True


@pytest.mark.parametrize("error", [ssl.SSLError("a handshake that fails"), ValueError("of another kind")], ids=["tls", "other"])
def test_whatever_a_handshake_raises_ends_its_connection(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Awaited again, its unread bytes would bring it back at once, for good: only waiting uses up its time."""
    worker, peer, shaking = HandshakeWorker.__new__(HandshakeWorker), Peer(), Future[bool]()
    worker.log, worker.nr_conns, worker._awaited = logging.getLogger("gunicorn.error"), 1, set()
    shaking.set_exception(error)

    worker._end_step(cast("IncomingConnection", peer), shaking)

    assert peer.is_closed
    assert (worker.nr_conns, worker._awaited) == (0, set())
    assert str(error.args[0]) in caplog.text
