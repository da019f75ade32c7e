"""gunicorn's worker as the internal servers run it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from gunicorn.workers.base import Worker

from chassis import handshakes
from chassis.handshakes import HandshakeWorker

if TYPE_CHECKING:
    import pytest


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
