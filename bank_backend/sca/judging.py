"""Judging an answer to a challenge: pure, so that every way to be wrong stands in one place (RTS 2018/389 Art. 4, 5)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING

from bank_backend.errors import PsuLocked
from bank_backend.sca.errors import (
    CodeAttemptsExhausted,
    CodeExpired,
    CodeWrong,
    PasskeyWrong,
    PushOver,
    StatementChanged,
    TooManyCodes,
)
from bank_backend.sca.model import (
    MOST_ATTEMPTS,
    MOST_CHALLENGES,
    MOST_CODES,
    MOST_WRONG_CODES,
    Challenge,
    ChallengeStatus,
    MethodType,
    WrongCodes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bank_backend.errors import BankError


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an answer was judged. `refusal` is to be raised once the attempt is committed; `is_final`: no more attempts."""

    refusal: BankError | None
    is_final: bool = False


def digest_of(statement: str) -> bytes:
    """Return what binds a challenge to a statement."""
    return hashlib.sha256(statement.encode()).digest()


def standing(challenges: Sequence[Challenge]) -> Challenge | None:
    """Return the one that waits for its answer, or None."""
    return next((each for each in challenges if each.status is ChallengeStatus.SENT), None)


def judged(
    challenge: Challenge, is_right: Callable[[Challenge], bool], *, statement: str, now: datetime
) -> tuple[Challenge, Verdict]:
    """Judge an answer; one for another statement than the challenge's is wrong whatever `is_right` says."""
    if now >= challenge.expires_at:
        return _expired(challenge)
    if compare_digest(digest_of(statement), challenge.statement_digest) and is_right(challenge):
        return challenge.moved(ChallengeStatus.PASSED), Verdict(None)
    missed = challenge.missed()
    if missed.status is ChallengeStatus.FAILED:
        text = f"{MOST_ATTEMPTS} wrong attempts: nothing was approved, and this request is closed"
        return missed, Verdict(CodeAttemptsExhausted(text), is_final=True)
    wrong = PasskeyWrong if challenge.type is MethodType.PASSKEY else CodeWrong
    return missed, Verdict(wrong(missed.attempts_left))


def approved(push: Challenge, *, statement: str, now: datetime) -> tuple[Challenge, Verdict]:
    """Judge an approval in the bank app: it is for what the PSU was shown when the push was sent, and for nothing else."""
    if now >= push.expires_at:
        return _expired(push)
    if compare_digest(digest_of(statement), push.statement_digest):
        return push.moved(ChallengeStatus.PASSED), Verdict(None)
    text = "the request is no longer what you were shown, and nothing was approved: start it again"
    return push.moved(ChallengeStatus.FAILED), Verdict(StatementChanged(text))


def counted(wrong: WrongCodes, verdict: Verdict, now: datetime) -> WrongCodes:
    """Return the PSU's wrong answers in a row after this one; what expired was not judged and counts neither way."""
    if verdict.refusal is None:
        return WrongCodes()
    is_wrong = isinstance(verdict.refusal, CodeWrong | PasskeyWrong | CodeAttemptsExhausted)
    return wrong.and_another(now) if is_wrong else wrong


def locked(until: datetime) -> PsuLocked:
    """Return the refusal for a PSU that has been wrong too often."""
    return PsuLocked(f"locked after {MOST_WRONG_CODES} wrong codes in a row: try again after {until:%H:%M} UTC")


def require_room(earlier: Sequence[Challenge], kind: MethodType) -> None:
    """Raise `TooManyCodes` where an authorisation has had its share: a phone is not flooded."""
    messages = sum(each.type.sends_code for each in earlier)
    if (kind.sends_code and messages >= MOST_CODES) or len(earlier) >= MOST_CHALLENGES:
        most = MOST_CODES if kind.sends_code else MOST_CHALLENGES
        raise TooManyCodes(f"{most} codes were sent for this request: start it again at the requesting company")


def require_waiting(push: Challenge) -> Challenge:
    """Return a push that nobody has answered; raises `PushOver`."""
    if push.status is not ChallengeStatus.SENT:
        raise PushOver(f"this request is {push.status.value} already: it is answered once")
    return push


def _expired(challenge: Challenge) -> tuple[Challenge, Verdict]:
    minutes = int(challenge.type.lifetime.total_seconds() // 60)
    text = f"the code was valid for {minutes} minutes and has expired: ask for a new one"
    if challenge.type is MethodType.PUSH:
        text = f"this waited for {minutes} minutes and has expired: nothing was approved"
    return challenge.moved(ChallengeStatus.EXPIRED), Verdict(CodeExpired(text))
