"""One of several processes that redeem the same codes at the same instants; run by the race test (forked off a server)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.sql.database import open_engine
from tests.support.authorization import AuthorizationWorld

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

MOST_SECONDS = 60


def redeem_all(url: str, codes: list[str], start: Barrier, results: Queue[list[tuple[int, str | None]]]) -> None:
    """Redeem each code as soon as everybody else is about to; report status and access token of each."""
    engine = open_engine(url)
    world = AuthorizationWorld(engine, populate=False)
    answers = []
    for code in codes:
        start.wait(MOST_SECONDS)
        answer = world.redeem(code)
        answers.append((answer.status_code, answer.get_json().get("access_token")))
    engine.dispose()
    results.put(answers)
