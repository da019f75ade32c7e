"""Answers to CAs at the edge: what is published is found at once, and strangers' questions cost one reading."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from gateway.acme.answers import PATH, ChallengeAnswers
from psd2.clock import FixedClock
from tests.support.stored_certificates import NOW

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.admission.rendering import Answer

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"


class Database:
    """Answers that stand there, readings counted; each waits until it may go on."""

    def __init__(self) -> None:
        self.standing: dict[str, str] = {TOKEN: f"{TOKEN}.thumbprint"}
        self.readings = 0
        self.is_read, self.may_go_on = threading.Event(), threading.Event()
        self.may_go_on.set()

    def answers(self, now: datetime) -> Mapping[str, str]:
        assert now == NOW
        self.readings += 1
        found = dict(self.standing)
        self.is_read.set()
        assert self.may_go_on.wait(30)
        return found


def test_a_token_is_answered_with_what_was_published() -> None:
    answer = asyncio.run(ChallengeAnswers(Database(), FixedClock(NOW)).answer(PATH + TOKEN))
    assert (answer.status, answer.body) == (200, f"{TOKEN}.thumbprint".encode())
    assert (b"content-type", b"application/octet-stream") in answer.headers


@pytest.mark.parametrize("token", ["", "unknown-unknown-unknown", f"{TOKEN}%00", f"{TOKEN}/x", "../../etc/passwd", "x" * 300])
def test_nothing_else_is(token: str) -> None:
    """Nor is the database asked for what can be no token."""
    database = Database()
    answer = asyncio.run(ChallengeAnswers(database, FixedClock(NOW)).answer(PATH + token))
    assert answer.status == 404
    assert database.readings == (1 if token == "unknown-unknown-unknown" else 0)


def test_who_asks_meanwhile_shares_the_next_reading() -> None:
    """Not the one under way, which may have begun before the token was published."""
    database = Database()
    database.standing.clear()
    database.may_go_on.clear()

    async def ask() -> list[Answer]:
        answers = ChallengeAnswers(database, FixedClock(NOW))
        first = asyncio.create_task(answers.answer(PATH + TOKEN))
        assert await asyncio.to_thread(database.is_read.wait, 30)
        database.standing[TOKEN] = "published meanwhile"
        others = [asyncio.create_task(answers.answer(PATH + TOKEN)) for _ in range(50)]
        await asyncio.sleep(0)
        database.may_go_on.set()
        return await asyncio.gather(first, *others)

    first, *others = asyncio.run(ask())
    assert first.status == 404
    assert {each.body for each in others} == {b"published meanwhile"}
    assert database.readings == 2
