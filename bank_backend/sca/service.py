"""SCA methods: which a PSU has, starting a challenge bound to a statement, judging what comes back (RTS 2018/389 Art. 4, 5)."""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from bank_backend.errors import ScaMethodUnknown
from bank_backend.inbox.model import Channel, Message
from bank_backend.sca.codes import hash_code
from bank_backend.sca.errors import CodeExpired, NoCodeTaken, PushUnknown
from bank_backend.sca.judging import (
    Verdict,
    approved,
    counted,
    digest_of,
    judged,
    locked,
    require_room,
    require_waiting,
    standing,
)
from bank_backend.sca.model import CODE_LIFETIME, MOST_ATTEMPTS, Challenge, ChallengeStatus, MethodType, Recipient
from bank_backend.sca.passkeys import PasskeyRefused, challenge_bytes
from bank_backend.sca.totp import matching_step
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from bank_backend.database import Connection
    from bank_backend.sca.codes import CodeSource
    from bank_backend.sca.enrolled import EnrolledMethod
    from bank_backend.sca.model import ScaMethod
    from bank_backend.sca.passkeys import Passkeys
    from bank_backend.sca.ports import ChallengeStore, Deliveries, MethodStore, Secrets, WrongCodeStore
    from psd2.clock import Clock
    from psd2.ids import PsuId, TenantId


class ScaMethods:
    """Every way for a PSU to approve; whichever it takes, it approves the one statement that the challenge was started with."""

    def __init__(
        self,
        *,
        challenges: ChallengeStore,
        wrong_codes: WrongCodeStore,
        methods: MethodStore,
        secrets: Secrets,
        passkeys: Passkeys,
        inbox: Deliveries,
        codes: CodeSource,
        allowed: Callable[[Connection, TenantId], Collection[str]],
        device_clock: Clock,
    ) -> None:
        """Offer what the bank's personality has `allowed`; `device_clock` is the time that authenticators go by."""
        self._challenges = challenges
        self._wrong_codes = wrong_codes
        self._methods = methods
        self._secrets = secrets
        self._passkeys = passkeys
        self._inbox = inbox
        self._codes = codes
        self._allowed = allowed
        self._device_clock = device_clock

    def offered(self, connection: Connection, tenant: TenantId, psu: PsuId) -> tuple[ScaMethod, ...]:
        """Return the PSU's methods that this bank takes, in the PSU's order."""
        return tuple(each.offered for each in self._usable(connection, tenant, psu))

    def start(self, connection: Connection, recipient: Recipient, *, method: str, statement: str, now: datetime) -> Challenge:
        """Start a challenge, and send its code where one is sent; an earlier one stops working.

        Raises `ScaMethodUnknown`, `TooManyCodes`, `PsuLocked`.
        """
        self._require_unlocked(connection, recipient.tenant, recipient.psu, now)
        chosen = self._require_method(connection, recipient, method)
        earlier = self._challenges.of_authorisation(connection, recipient.authorisation)
        require_room(earlier, chosen.type)
        if (last := standing(earlier)) is not None:
            self._challenges.save(connection, last.moved(ChallengeStatus.REPLACED))
        code = self._codes.code()
        challenge = self._challenge(recipient, chosen, code, statement=statement, earlier=earlier, now=now)
        self._challenges.add(connection, challenge)
        if chosen.type.sends_code:
            self._inbox.deliver(connection, _message(challenge, code, statement))
        return challenge

    def standing(self, connection: Connection, authorisation: str) -> Challenge | None:
        """Return the challenge of an authorisation that waits for its answer, expired or not; None where none does."""
        return standing(self._challenges.seen_of(connection, authorisation))

    def last(self, connection: Connection, authorisation: str) -> Challenge | None:
        """Return the newest challenge of an authorisation, whatever became of it; None where there was none."""
        found = self._challenges.seen_of(connection, authorisation)
        # Two of the same moment are in no order: the one that stands is the newest whatever the moment.
        return standing(found) or (found[-1] if found else None)

    def judge(self, connection: Connection, recipient: Recipient, *, code: str, statement: str, now: datetime) -> Verdict:
        """Judge a code and count the attempt, inside the caller's transaction."""

        def is_right(challenge: Challenge) -> bool:
            return self._is_code(connection, challenge, code, statement)

        return self._judge(connection, recipient, is_right, takes_code=True, statement=statement, now=now)

    def judge_passkey(
        self, connection: Connection, recipient: Recipient, *, answer: Mapping[str, Any], statement: str, now: datetime
    ) -> Verdict:
        """Judge what a passkey has signed, and count the attempt, inside the caller's transaction."""

        def is_right(challenge: Challenge) -> bool:
            return self._is_signed(connection, challenge, answer)

        return self._judge(connection, recipient, is_right, takes_code=False, statement=statement, now=now)

    def passkey_request(self, connection: Connection, challenge: Challenge) -> dict[str, Any]:
        """Return what the browser is to ask the passkey for, by WebAuthn's JSON form."""
        chosen = self._chosen(connection, challenge)
        signed = challenge_bytes(challenge.salt, challenge.statement_digest)
        return self._passkeys.assertion(chosen.credential or b"", challenge=signed)

    def waiting(self, connection: Connection, tenant: TenantId, psu: PsuId, now: datetime) -> list[Challenge]:
        """Return the pushes that wait for this PSU, newest first."""
        return [each for each in self._challenges.pushes_of(connection, tenant, psu) if now < each.expires_at]

    def push(self, connection: Connection, push: str, *, tenant: TenantId, psu: PsuId) -> Challenge:
        """Return a push of this PSU, locked, whatever became of it; raises `PushUnknown`: another's is as unknown as none."""
        found = self._challenges.find_locked(connection, push)
        if found is None or (found.tenant, found.psu, found.type) != (tenant, psu, MethodType.PUSH):
            raise PushUnknown("there is no such request for you: it may have been answered elsewhere")
        return found

    def approve_push(
        self, connection: Connection, push: str, *, tenant: TenantId, psu: PsuId, statement: str, now: datetime
    ) -> Verdict:
        """Take the PSU's yes to what it was shown; raises `PushUnknown`, `PushOver`, `PsuLocked`."""
        # The lock's row first, as everywhere: two transactions that take both never wait for one another.
        self._require_unlocked(connection, tenant, psu, now)
        found = require_waiting(self.push(connection, push, tenant=tenant, psu=psu))
        answered, verdict = approved(found, statement=statement, now=now)
        self._challenges.save(connection, answered)
        return verdict

    def reject_push(self, connection: Connection, push: str, *, tenant: TenantId, psu: PsuId) -> None:
        """Take the PSU's no; raises `PushUnknown`, `PushOver`."""
        found = require_waiting(self.push(connection, push, tenant=tenant, psu=psu))
        self._challenges.save(connection, found.moved(ChallengeStatus.REJECTED))

    def _judge(
        self,
        connection: Connection,
        recipient: Recipient,
        is_right: Callable[[Challenge], bool],
        *,
        takes_code: bool,
        statement: str,
        now: datetime,
    ) -> Verdict:
        wrong = self._wrong_codes.of_psu(connection, recipient.tenant, recipient.psu)
        if (until := wrong.lock(now)) is not None:
            return Verdict(locked(until))
        challenge = standing(self._challenges.of_authorisation(connection, recipient.authorisation))
        if challenge is None or challenge.psu != recipient.psu:
            return Verdict(CodeExpired("no code is waiting for this request: ask for a new one"))
        if challenge.type.takes_code is not takes_code or challenge.type is MethodType.PUSH:
            return Verdict(NoCodeTaken(f"the method in use wants something else: {challenge.instruction}"))
        answered, verdict = judged(challenge, is_right, statement=statement, now=now)
        self._challenges.save(connection, answered)
        self._wrong_codes.save(connection, recipient.tenant, recipient.psu, counted(wrong, verdict, now))
        return verdict

    def _is_code(self, connection: Connection, challenge: Challenge, code: str, statement: str) -> bool:
        if challenge.code_hash is not None:
            return compare_digest(hash_code(code, statement=statement, salt=challenge.salt), challenge.code_hash)
        chosen = self._chosen(connection, challenge)
        moment = self._device_clock.now()
        step = matching_step(self._secrets.secret_of(chosen), code, moment=moment, after=chosen.last_step)
        return step is not None and self._methods.use_step(connection, chosen.id, step)

    def _is_signed(self, connection: Connection, challenge: Challenge, answer: Mapping[str, Any]) -> bool:
        chosen = self._chosen(connection, challenge)
        signed = challenge_bytes(challenge.salt, challenge.statement_digest)
        try:
            count = self._passkeys.asserted(answer, chosen.credential or b"", challenge=signed, sign_count=chosen.sign_count)
        except PasskeyRefused:
            return False
        self._methods.save(connection, chosen.signed(count))
        return True

    def _usable(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[EnrolledMethod]:
        allowed = self._allowed(connection, tenant)
        enrolled = self._methods.of_psu(connection, tenant, psu)
        return [each for each in enrolled if each.is_enrolled and each.type.value in allowed]

    def _require_method(self, connection: Connection, recipient: Recipient, method: str) -> EnrolledMethod:
        for each in self._usable(connection, recipient.tenant, recipient.psu):
            if each.id == method:
                return each
        raise ScaMethodUnknown(f"{method[:40]!r} is none of the PSU's methods: choose one of those that are offered")

    def _chosen(self, connection: Connection, challenge: Challenge) -> EnrolledMethod:
        recipient = Recipient(authorisation=challenge.authorisation, tenant=challenge.tenant, psu=challenge.psu)
        return self._require_method(connection, recipient, challenge.method)

    def _require_unlocked(self, connection: Connection, tenant: TenantId, psu: PsuId, now: datetime) -> None:
        until = self._wrong_codes.of_psu(connection, tenant, psu).lock(now)
        if until is not None:
            raise locked(until)

    def _challenge(
        self,
        recipient: Recipient,
        chosen: EnrolledMethod,
        code: str,
        *,
        statement: str,
        earlier: Sequence[Challenge],
        now: datetime,
    ) -> Challenge:
        salt = self._codes.salt()
        return Challenge(
            id=new_uuid(),
            authorisation=recipient.authorisation,
            tenant=recipient.tenant,
            psu=recipient.psu,
            method=chosen.id,
            type=chosen.type,
            status=ChallengeStatus.SENT,
            instruction=chosen.instruction,
            number=code[:2] if chosen.type is MethodType.PUSH else "",
            statement_digest=digest_of(statement),
            salt=salt,
            code_hash=hash_code(code, statement=statement, salt=salt) if chosen.type.sends_code else None,
            # A new challenge gives no new attempts: three wrong ones end the authorisation however many were started.
            attempts_left=min((each.attempts_left for each in earlier), default=MOST_ATTEMPTS),
            sent_at=now,
            expires_at=now + chosen.type.lifetime,
        )


_CHANNELS = {MethodType.SMS: Channel.SMS, MethodType.EMAIL: Channel.EMAIL}


def _message(challenge: Challenge, code: str, statement: str) -> Message:
    minutes = int(CODE_LIFETIME.total_seconds() // 60)
    text = f"Musterbank: your code is {code}. With it {statement}. Valid for {minutes} minutes. Never tell it to anybody."
    return Message(
        tenant=challenge.tenant,
        psu=challenge.psu,
        at=challenge.sent_at,
        channel=_CHANNELS[challenge.type],
        subject="Your one-time code",
        text=text,
    )
