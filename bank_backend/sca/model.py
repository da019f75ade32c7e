"""A one-time code on its way: who got it, for what, how many tries are left (RTS 2018/389 Art. 4 (3)(b))."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bank_backend.states import StateMachine

if TYPE_CHECKING:
    from datetime import datetime

CODE_DIGITS = 6
CODE_LIFETIME = timedelta(minutes=5)
MOST_ATTEMPTS = 3
MOST_CODES = 4
# In a row, over all of a PSU's requests: the last of them locks (RTS 2018/389 Art. 4 (3)(b)).
MOST_WRONG_CODES = 5
CODE_LOCK = timedelta(minutes=15)


class ChallengeStatus(StrEnum):
    """What became of a code."""

    SENT = "sent"
    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"
    REPLACED = "replaced"


_S = ChallengeStatus
CHALLENGE_STATES: StateMachine[ChallengeStatus] = StateMachine(
    "one-time code",
    {
        _S.SENT: frozenset({_S.PASSED, _S.FAILED, _S.EXPIRED, _S.REPLACED}),
        _S.PASSED: frozenset(),
        _S.FAILED: frozenset(),
        _S.EXPIRED: frozenset(),
        _S.REPLACED: frozenset(),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One code of one interaction. `code_hash` covers the code and the statement that it approves."""

    id: str
    interaction: str
    status: ChallengeStatus
    salt: bytes
    code_hash: bytes
    attempts_left: int
    sent_at: datetime
    expires_at: datetime

    def moved(self, to: ChallengeStatus) -> Challenge:
        """Return the challenge in its next state; raises `IllegalMove`."""
        CHALLENGE_STATES.require_move(self.status, to=to)
        return replace(self, status=to)

    def missed(self) -> Challenge:
        """Return the challenge after one wrong code: with a try less, failed when that was the last."""
        left = self.attempts_left - 1
        missed = replace(self, attempts_left=left)
        return missed if left > 0 else missed.moved(ChallengeStatus.FAILED)


@dataclass(frozen=True, slots=True)
class WrongCodes:
    """How many wrong codes in a row a PSU has given, and until when it gets no further try."""

    in_a_row: int = 0
    locked_until: datetime | None = None

    def lock(self, now: datetime) -> datetime | None:
        """Return the end of the lock that is in force, or None."""
        return self.locked_until if self.locked_until is not None and now < self.locked_until else None

    def and_another(self, now: datetime) -> WrongCodes:
        """Return the count after one more; the one too many locks, and the count starts over."""
        counted = self.in_a_row + 1
        return WrongCodes(0, now + CODE_LOCK) if counted >= MOST_WRONG_CODES else WrongCodes(counted)
