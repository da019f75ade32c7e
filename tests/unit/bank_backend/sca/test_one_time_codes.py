"""One-time codes: bound to what they approve, three attempts, five minutes (RTS 2018/389 Art. 4, 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.errors import PsuLocked
from bank_backend.sca.codes import SystemCodes, hash_code
from bank_backend.sca.errors import CodeAttemptsExhausted, CodeExpired, CodeWrong, TooManyCodes
from bank_backend.sca.model import CODE_LIFETIME, CODE_LOCK, Challenge, ChallengeStatus, WrongCodes
from bank_backend.sca.service import OneTimeCodes, Recipient, Verdict
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.inbox.model import Message

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
RECIPIENT = Recipient(interaction="visit", tenant=TenantId("PSDDE-BAFIN-100001"), psu=PsuId("anna.weber"))
STATEMENT = "you pay 123.50 EUR to Merchant, DE02 1001 0010 9307 1186 03 from DE89 3704 0044 0532 0130 00"
NO_CONNECTION: Any = None


@dataclass
class FakeChallenges:
    """Challenges in a dictionary, in the order of their coming."""

    kept: dict[str, Challenge] = field(default_factory=dict)

    def add(self, _connection: object, challenge: Challenge) -> None:
        self.kept[challenge.id] = challenge

    def save(self, _connection: object, challenge: Challenge) -> None:
        self.kept[challenge.id] = challenge

    def of_interaction(self, _connection: object, interaction: str) -> list[Challenge]:
        return [each for each in self.kept.values() if each.interaction == interaction]


@dataclass
class FakeWrongCodes:
    """The count of the only PSU there is."""

    counted: WrongCodes = field(default_factory=WrongCodes)

    def of_psu(self, _connection: object, _tenant: TenantId, _psu: PsuId) -> WrongCodes:
        return self.counted

    def save(self, _connection: object, _tenant: TenantId, _psu: PsuId, counted: WrongCodes) -> None:
        self.counted = counted


@dataclass
class FakeInbox:
    """What was delivered."""

    delivered: list[Message] = field(default_factory=list)

    def deliver(self, _connection: object, message: Message) -> None:
        self.delivered.append(message)


class CountingCodes:
    """Codes 000001, 000002 and so on."""

    def __init__(self) -> None:
        self.made = 0

    def code(self) -> str:
        self.made += 1
        return f"{self.made:06}"

    def salt(self) -> bytes:
        return b"salt of 16 bytes"


@dataclass
class Desk:
    """Codes with everything around them."""

    store: FakeChallenges = field(default_factory=FakeChallenges)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    wrong_codes: FakeWrongCodes = field(default_factory=FakeWrongCodes)

    def __post_init__(self) -> None:
        self.codes = OneTimeCodes(store=self.store, wrong_codes=self.wrong_codes, inbox=self.inbox, codes=CountingCodes())

    def send(self, *, statement: str = STATEMENT, at: datetime = NOW) -> None:
        self.codes.send(NO_CONNECTION, RECIPIENT, statement=statement, now=at)

    def judge(self, code: str, *, statement: str = STATEMENT, at: datetime = NOW) -> Verdict:
        return self.codes.judge(NO_CONNECTION, RECIPIENT, code=code, statement=statement, now=at)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_right_code_passes_once(desk: Desk) -> None:
    """And is worth nothing afterwards."""
    desk.send()

    assert desk.judge("000001").refusal is None
    assert isinstance(desk.judge("000001").refusal, CodeExpired)


def test_the_message_says_amount_and_payee(desk: Desk) -> None:
    """Dynamic linking: the payer is made aware of both (RTS Art. 5 (1)(a))."""
    desk.send()

    (message,) = desk.inbox.delivered
    assert "your code is 000001" in message.text
    assert STATEMENT in message.text
    assert (message.psu, message.tenant, message.at) == (RECIPIENT.psu, RECIPIENT.tenant, NOW)


def test_a_code_approves_nothing_but_its_statement(desk: Desk) -> None:
    """Dynamic linking: any change to the amount makes it worthless (RTS Art. 5 (1)(d))."""
    desk.send()

    verdict = desk.judge("000001", statement=STATEMENT.replace("123.50", "923.50"))

    assert isinstance(verdict.refusal, CodeWrong)


def test_three_wrong_codes_end_it(desk: Desk) -> None:
    """Attempts are counted down and said; the third is final, and the right code then comes too late."""
    desk.send()

    verdicts = [desk.judge("999999") for _ in range(3)]

    left = [verdict.refusal.attempts_left for verdict in verdicts if isinstance(verdict.refusal, CodeWrong)]
    assert left == [2, 1]
    assert isinstance(verdicts[2].refusal, CodeAttemptsExhausted)
    assert [verdict.is_final for verdict in verdicts] == [False, False, True]
    assert desk.judge("000001").refusal is not None


def test_a_new_code_gives_no_new_attempts(desk: Desk) -> None:
    """Two wrong ones, a new code, one wrong one: it is over."""
    desk.send()
    desk.judge("999999")
    desk.judge("999999")
    desk.send()

    assert desk.judge("999999").is_final


def test_who_has_given_wrong_codes_elsewhere_is_locked_here(desk: Desk) -> None:
    """The fifth in a row locks: the right code is not even looked at, nor a new one sent, until the time is over."""
    desk.wrong_codes.counted = WrongCodes(in_a_row=4)
    desk.send()
    assert isinstance(desk.judge("999999").refusal, CodeWrong)

    assert isinstance(desk.judge("000001").refusal, PsuLocked)
    with pytest.raises(PsuLocked):
        desk.send(at=NOW + CODE_LOCK - timedelta(seconds=1))
    desk.send(at=NOW + CODE_LOCK)
    assert desk.judge("000002", at=NOW + CODE_LOCK).refusal is None
    assert desk.wrong_codes.counted == WrongCodes()


def test_an_expired_code_counts_neither_way(desk: Desk) -> None:
    """It was not judged: the row goes on where it was."""
    desk.wrong_codes.counted = WrongCodes(in_a_row=4)
    desk.send()

    desk.judge("999999", at=NOW + CODE_LIFETIME)

    assert desk.wrong_codes.counted == WrongCodes(in_a_row=4)


def test_a_new_code_replaces_the_old(desk: Desk) -> None:
    """The one sent first does not work any more; the new one does."""
    desk.send()
    desk.send()

    assert isinstance(desk.judge("000001").refusal, CodeWrong)
    assert desk.judge("000002").refusal is None


def test_a_code_lives_five_minutes(desk: Desk) -> None:
    """To the moment; an expired one costs no attempt of the next."""
    desk.send()

    assert isinstance(desk.judge("000001", at=NOW + CODE_LIFETIME).refusal, CodeExpired)
    desk.send(at=NOW + CODE_LIFETIME)
    assert desk.judge("000002", at=NOW + 2 * CODE_LIFETIME - timedelta(seconds=1)).refusal is None


def test_not_more_than_four_codes(desk: Desk) -> None:
    """A phone is not flooded."""
    for _ in range(4):
        desk.send()

    with pytest.raises(TooManyCodes, match="4 codes"):
        desk.send()
    assert len(desk.inbox.delivered) == 4


def test_the_code_itself_is_not_kept(desk: Desk) -> None:
    """Only a hash with its salt."""
    desk.send()

    (kept,) = desk.store.kept.values()
    assert kept.status is ChallengeStatus.SENT
    assert kept.code_hash == hash_code("000001", statement=STATEMENT, salt=kept.salt)
    assert b"000001" not in kept.code_hash


def test_codes_have_six_digits_whatever_the_number() -> None:
    """Small numbers keep their leading zeros; two hundred codes are not all alike."""
    codes = {SystemCodes().code() for _ in range(200)}

    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(codes) > 150
