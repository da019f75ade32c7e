"""One-time codes: sent to the PSU's inbox, judged with a count of attempts (RTS 2018/389 Art. 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Protocol

from bank_backend.errors import PsuLocked
from bank_backend.inbox.model import Channel, Message
from bank_backend.sca.codes import hash_code
from bank_backend.sca.errors import CodeAttemptsExhausted, CodeExpired, CodeWrong, TooManyCodes
from bank_backend.sca.model import (
    CODE_LIFETIME,
    MOST_ATTEMPTS,
    MOST_CODES,
    MOST_WRONG_CODES,
    Challenge,
    ChallengeStatus,
    WrongCodes,
)
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.database import Connection
    from bank_backend.errors import BankError
    from bank_backend.sca.codes import CodeSource
    from psd2.ids import PsuId, TenantId


class ChallengeStore(Protocol):
    """Where codes are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, challenge: Challenge) -> None:
        """Write a new challenge."""

    def save(self, connection: Connection, challenge: Challenge) -> None:
        """Write the challenge's new state over its old one."""

    def of_interaction(self, connection: Connection, interaction: str) -> list[Challenge]:
        """Return all codes sent for an interaction, oldest first, locked for the caller."""


class WrongCodeStore(Protocol):
    """Where wrong codes in a row are counted; each call works inside the caller's transaction."""

    def of_psu(self, connection: Connection, tenant: TenantId, psu: PsuId) -> WrongCodes:
        """Return the PSU's count, locked for the caller."""

    def save(self, connection: Connection, tenant: TenantId, psu: PsuId, counted: WrongCodes) -> None:
        """Write the PSU's count."""


class Deliveries(Protocol):
    """The way to the PSU."""

    def deliver(self, connection: Connection, message: Message) -> None:
        """Deliver a message inside the caller's transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whose approval is asked for, in which interaction."""

    interaction: str
    tenant: TenantId
    psu: PsuId


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a code was judged. `refusal` is to be raised once the attempt is committed; `is_final`: no more attempts."""

    refusal: BankError | None
    is_final: bool = False


class OneTimeCodes:
    """Sends codes and judges them; a code approves the one statement it was sent with."""

    def __init__(self, *, store: ChallengeStore, wrong_codes: WrongCodeStore, inbox: Deliveries, codes: CodeSource) -> None:
        """Keep hashes in `store`, count in `wrong_codes`, deliver to `inbox`, take codes from `codes`."""
        self._store = store
        self._wrong_codes = wrong_codes
        self._inbox = inbox
        self._codes = codes

    def send(self, connection: Connection, recipient: Recipient, *, statement: str, now: datetime) -> None:
        """Send a new code; an earlier one stops working. Raises `TooManyCodes`, `PsuLocked`."""
        until = self._wrong_codes.of_psu(connection, recipient.tenant, recipient.psu).lock(now)
        if until is not None:
            raise _locked(until)
        sent = self._store.of_interaction(connection, recipient.interaction)
        if len(sent) >= MOST_CODES:
            raise TooManyCodes(f"{MOST_CODES} codes were sent for this request: start it again at the requesting company")
        if (last := _standing(sent)) is not None:
            self._store.save(connection, last.moved(ChallengeStatus.REPLACED))
        code = self._codes.code()
        self._store.add(connection, self._challenge(recipient, code, statement=statement, sent=sent, now=now))
        self._inbox.deliver(connection, _message(recipient, code, statement, now))

    def _challenge(
        self, recipient: Recipient, code: str, *, statement: str, sent: Sequence[Challenge], now: datetime
    ) -> Challenge:
        salt = self._codes.salt()
        return Challenge(
            id=new_uuid(),
            interaction=recipient.interaction,
            status=ChallengeStatus.SENT,
            salt=salt,
            code_hash=hash_code(code, statement=statement, salt=salt),
            # A new code gives no new attempts: three wrong ones end the interaction however many codes were sent.
            attempts_left=sent[-1].attempts_left if sent else MOST_ATTEMPTS,
            sent_at=now,
            expires_at=now + CODE_LIFETIME,
        )

    def judge(self, connection: Connection, recipient: Recipient, *, code: str, statement: str, now: datetime) -> Verdict:
        """Judge a code and count the attempt, inside the caller's transaction."""
        wrong = self._wrong_codes.of_psu(connection, recipient.tenant, recipient.psu)
        if (until := wrong.lock(now)) is not None:
            return Verdict(_locked(until))
        challenge = _standing(self._store.of_interaction(connection, recipient.interaction))
        if challenge is None:
            return Verdict(CodeExpired("no code is waiting for this request: ask for a new one"))
        judged, verdict = _judged(challenge, code, statement, now)
        self._store.save(connection, judged)
        self._wrong_codes.save(connection, recipient.tenant, recipient.psu, _counted(wrong, verdict, now))
        return verdict


def _counted(wrong: WrongCodes, verdict: Verdict, now: datetime) -> WrongCodes:
    if verdict.refusal is None:
        return WrongCodes()
    return wrong.and_another(now) if isinstance(verdict.refusal, CodeWrong | CodeAttemptsExhausted) else wrong


def _locked(until: datetime) -> PsuLocked:
    return PsuLocked(f"locked after {MOST_WRONG_CODES} wrong codes in a row: try again after {until:%H:%M} UTC")


def _judged(challenge: Challenge, code: str, statement: str, now: datetime) -> tuple[Challenge, Verdict]:
    if now >= challenge.expires_at:
        refusal = CodeExpired("the code was valid for five minutes and has expired: ask for a new one")
        return challenge.moved(ChallengeStatus.EXPIRED), Verdict(refusal)
    if compare_digest(hash_code(code, statement=statement, salt=challenge.salt), challenge.code_hash):
        return challenge.moved(ChallengeStatus.PASSED), Verdict(None)
    missed = challenge.missed()
    if missed.status is ChallengeStatus.FAILED:
        text = f"{MOST_ATTEMPTS} wrong codes: nothing was approved, and this request is closed"
        return missed, Verdict(CodeAttemptsExhausted(text), is_final=True)
    return missed, Verdict(CodeWrong(missed.attempts_left))


def _standing(challenges: Sequence[Challenge]) -> Challenge | None:
    return next((each for each in challenges if each.status is ChallengeStatus.SENT), None)


def _message(recipient: Recipient, code: str, statement: str, now: datetime) -> Message:
    minutes = int(CODE_LIFETIME.total_seconds() // 60)
    text = f"Musterbank: your code is {code}. With it {statement}. Valid for {minutes} minutes. Never tell it to anybody."
    return Message(
        tenant=recipient.tenant,
        psu=recipient.psu,
        at=now,
        channel=Channel.SMS,
        subject="Your one-time code",
        text=text,
    )
