"""A PSU's SCA methods, and a challenge: for what, by which method, how many tries are left (RTS 2018/389 Art. 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bank_backend.states import StateMachine

if TYPE_CHECKING:
    from datetime import datetime

    from psd2.ids import PsuId, TenantId

CODE_DIGITS: Final = 6
CODE_LIFETIME: Final = timedelta(minutes=5)
# Unlocking a telephone and finding the bank app takes longer than typing a code.
PUSH_LIFETIME: Final = timedelta(minutes=15)
MOST_ATTEMPTS: Final = 3
# Messages for one request, so that a phone is not flooded; challenges of any kind for one request.
MOST_CODES: Final = 4
MOST_CHALLENGES: Final = 12
# In a row, over all of a PSU's requests: the last of them locks (RTS 2018/389 Art. 4 (3)(b)).
MOST_WRONG_CODES: Final = 5
CODE_LOCK: Final = timedelta(minutes=15)


class MethodType(StrEnum):
    """How a PSU proves that it has what only it has."""

    SMS = "sms"
    EMAIL = "email"
    TOTP = "totp"
    PUSH = "push"
    PASSKEY = "passkey"

    @property
    def authentication_type(self) -> str | None:
        """BG IG §14.16's name; None for a passkey, which works on the bank's own pages only."""
        return _AUTHENTICATION_TYPES.get(self)

    @property
    def takes_code(self) -> bool:
        """Whether the PSU enters a code, which a TPP can carry (BG IG §5.1: embedded approach)."""
        return self in {MethodType.SMS, MethodType.EMAIL, MethodType.TOTP}

    @property
    def sends_code(self) -> bool:
        """Whether the bank sends the code."""
        return self in {MethodType.SMS, MethodType.EMAIL}

    @property
    def lifetime(self) -> timedelta:
        """How long a challenge waits."""
        return PUSH_LIFETIME if self is MethodType.PUSH else CODE_LIFETIME


# An authenticator app is to the PSU what a chip-card reader was: a device of its own that computes the code.
_AUTHENTICATION_TYPES: Final = {
    MethodType.SMS: "SMS_OTP",
    MethodType.EMAIL: "SMTP_OTP",
    MethodType.TOTP: "CHIP_OTP",
    MethodType.PUSH: "PUSH_OTP",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaMethod:
    """One of a PSU's methods, as it is offered."""

    id: str
    type: MethodType
    name: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whose approval is asked for, in which authorisation."""

    authorisation: str
    tenant: TenantId
    psu: PsuId


class ChallengeStatus(StrEnum):
    """What became of a challenge."""

    SENT = "sent"
    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"


_S = ChallengeStatus
CHALLENGE_STATES: StateMachine[ChallengeStatus] = StateMachine(
    "challenge",
    {
        _S.SENT: frozenset({_S.PASSED, _S.FAILED, _S.EXPIRED, _S.REPLACED, _S.REJECTED}),
        _S.PASSED: frozenset(),
        _S.FAILED: frozenset(),
        _S.EXPIRED: frozenset(),
        _S.REPLACED: frozenset(),
        _S.REJECTED: frozenset(),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One challenge of one authorisation.

    `statement_digest` binds it to what it approves; `code_hash`, where a code was sent, covers code and statement.
    `number` stands on the page that asks and in the bank app: the PSU compares them.
    """

    id: str
    authorisation: str
    tenant: TenantId
    psu: PsuId
    method: str
    type: MethodType
    status: ChallengeStatus
    instruction: str
    number: str
    statement_digest: bytes
    salt: bytes
    code_hash: bytes | None
    attempts_left: int
    sent_at: datetime
    expires_at: datetime

    @property
    def otp_digits(self) -> int | None:
        """How many digits the code has; None where none is entered."""
        return CODE_DIGITS if self.type.takes_code else None

    def moved(self, to: ChallengeStatus) -> Challenge:
        """Return the challenge in its next state; raises `IllegalMove`."""
        CHALLENGE_STATES.require_move(self.status, to=to)
        return replace(self, status=to)

    def missed(self) -> Challenge:
        """Return the challenge after one wrong answer: with a try less, failed when that was the last."""
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
