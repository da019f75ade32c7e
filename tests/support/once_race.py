"""One of several processes that use up the same things at the same instants; run by the race test (forked off a server)."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from chassis.sql.database import open_engine
from gateway.oauth.clients.assertions import AssertionUsed
from gateway.oauth.clients.store import SqlUsedAssertions
from gateway.oauth.par.model import Claim, PushedRequestAnswered
from gateway.oauth.par.store import SqlPushedRequests
from tests.support.authorization import START
from tests.support.code_race import MOST_SECONDS

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

_LOST = (AssertionUsed, PushedRequestAnswered)


def use_all(url: str, kind: str, names: list[str], start: Barrier, results: Queue[list[bool]]) -> None:
    """Use each as soon as everybody else is about to; report which were won."""
    engine = open_engine(url)
    pushed, assertions = SqlPushedRequests(engine), SqlUsedAssertions(engine)
    won = []
    for name in names:
        start.wait(MOST_SECONDS)
        try:
            if kind == "request_uri":
                pushed.answer(name, by=f"racer-{os.getpid()}")
            elif kind == "page":
                claim = Claim(sha256=name, browser_sha256=f"racer-{os.getpid()}", at=START)
                won.append(pushed.is_claimed(claim, stale=START))
                continue
            else:
                assertions.use(name, START + timedelta(minutes=1))
            won.append(True)
        except _LOST:
            won.append(False)
    engine.dispose()
    results.put(won)
