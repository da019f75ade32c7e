"""The edge's answers to CAs that ask over plain HTTP whether a name is ours (RFC 8555 §8.3)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, Protocol

from gateway.admission.rendering import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from psd2.clock import Clock

PATH: Final = "/.well-known/acme-challenge/"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,200}")


class Challenges(Protocol):
    """Where the answers stand."""

    def answers(self, now: datetime) -> Mapping[str, str]:
        """Return every answer that counts now, by its token; blocks."""


class ChallengeAnswers:
    """Answers in one worker, whichever process has placed the order."""

    def __init__(self, challenges: Challenges, clock: Clock) -> None:
        self._challenges = challenges
        self._clock = clock
        self._reading = asyncio.Lock()
        self._asked = 0
        self._answered = 0
        self._answers: Mapping[str, str] = {}

    async def answer(self, path: str) -> Answer:
        """Return the answer to a token's address; raises what the database raises."""
        token = path.removeprefix(PATH)
        found = (await self._current()).get(token) if _TOKEN.fullmatch(token) else None
        if found is None:
            return _text(404, b"no such challenge")
        return _text(200, found.encode("ascii"))

    async def _current(self) -> Mapping[str, str]:
        """Return the answers as they stood after this was called; who comes while they are read shares the next reading.

        However many strangers ask, a worker reads them with one thread.
        """
        self._asked += 1
        mine = self._asked
        async with self._reading:
            if self._answered < mine:
                covers = self._asked
                self._answers = await asyncio.to_thread(self._challenges.answers, self._clock.now())
                self._answered = covers
            return self._answers


def _text(status: int, body: bytes) -> Answer:
    headers = [
        # The type that RFC 8555 §8.3 recommends; nothing for a browser to make anything of.
        (b"content-type", b"application/octet-stream"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    return Answer(status, headers, body)
