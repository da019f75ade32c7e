"""One-time codes: bound to what they approve, three attempts, five minutes (RTS 2018/389 Art. 4, 5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bank_backend.errors import PsuLocked
from bank_backend.inbox.model import Channel
from bank_backend.sca.codes import SystemCodes, hash_code
from bank_backend.sca.errors import CodeAttemptsExhausted, CodeExpired, CodeWrong, TooManyCodes
from bank_backend.sca.model import CODE_LIFETIME, CODE_LOCK, ChallengeStatus, MethodType, WrongCodes
from psd2.ids import PsuId
from tests.support.sca import NO_CONNECTION, NOW, RECIPIENT, STATEMENT, ScaDesk


@pytest.fixture
def desk() -> ScaDesk:
    return ScaDesk()


def test_the_right_code_passes_once(desk: ScaDesk) -> None:
    """And is worth nothing afterwards."""
    desk.start()

    assert desk.judge("000001").refusal is None
    assert isinstance(desk.judge("000001").refusal, CodeExpired)


def test_the_message_says_amount_and_payee(desk: ScaDesk) -> None:
    """Dynamic linking: the payer is made aware of both (RTS Art. 5 (1)(a))."""
    desk.start()

    (message,) = desk.inbox.delivered
    assert "your code is 000001" in message.text
    assert STATEMENT in message.text
    assert (message.psu, message.tenant, message.at) == (RECIPIENT.psu, RECIPIENT.tenant, NOW)


def test_an_email_brings_the_code_by_its_own_channel(desk: ScaDesk) -> None:
    """And the page tells where it went, masked."""
    challenge = desk.start(MethodType.EMAIL)

    (message,) = desk.inbox.delivered
    assert message.channel is Channel.EMAIL
    assert challenge.instruction == "Enter the code that we have sent to a\N{BULLET}\N{BULLET}\N{BULLET}@example.org."
    assert desk.judge("000001").refusal is None


def test_a_code_approves_nothing_but_its_statement(desk: ScaDesk) -> None:
    """Dynamic linking: any change to the amount makes it worthless (RTS Art. 5 (1)(d))."""
    desk.start()

    verdict = desk.judge("000001", statement=STATEMENT.replace("123.50", "923.50"))

    assert isinstance(verdict.refusal, CodeWrong)


def test_a_code_approves_for_nobody_but_whom_it_was_sent_to(desk: ScaDesk) -> None:
    """Another PSU who has come into the same authorisation has nothing to answer; and it costs the first one no attempt."""
    desk.start()
    other = replace(RECIPIENT, psu=PsuId("jonas.brandt"))

    verdict = desk.sca.judge(NO_CONNECTION, other, code="000001", statement=STATEMENT, now=NOW)

    assert isinstance(verdict.refusal, CodeExpired)
    assert desk.judge("000001").refusal is None


def test_three_wrong_codes_end_it(desk: ScaDesk) -> None:
    """Attempts are counted down and said; the third is final, and the right code then comes too late."""
    desk.start()

    verdicts = [desk.judge("999999") for _ in range(3)]

    left = [verdict.refusal.attempts_left for verdict in verdicts if isinstance(verdict.refusal, CodeWrong)]
    assert left == [2, 1]
    assert isinstance(verdicts[2].refusal, CodeAttemptsExhausted)
    assert [verdict.is_final for verdict in verdicts] == [False, False, True]
    assert desk.judge("000001").refusal is not None


def test_a_new_code_gives_no_new_attempts(desk: ScaDesk) -> None:
    """Two wrong ones, a new code, one wrong one: it is over."""
    desk.start()
    desk.judge("999999")
    desk.judge("999999")
    desk.start()

    assert desk.judge("999999").is_final


def test_who_has_given_wrong_codes_elsewhere_is_locked_here(desk: ScaDesk) -> None:
    """The fifth in a row locks: the right code is not even looked at, nor a new one sent, until the time is over."""
    desk.wrong_codes.counted = WrongCodes(in_a_row=4)
    desk.start()
    assert isinstance(desk.judge("999999").refusal, CodeWrong)

    assert isinstance(desk.judge("000001").refusal, PsuLocked)
    with pytest.raises(PsuLocked):
        desk.start(at=NOW + CODE_LOCK - timedelta(seconds=1))
    desk.start(at=NOW + CODE_LOCK)
    assert desk.judge("000002", at=NOW + CODE_LOCK).refusal is None
    assert desk.wrong_codes.counted == WrongCodes()


def test_an_expired_code_counts_neither_way(desk: ScaDesk) -> None:
    """It was not judged: the row goes on where it was."""
    desk.wrong_codes.counted = WrongCodes(in_a_row=4)
    desk.start()

    desk.judge("999999", at=NOW + CODE_LIFETIME)

    assert desk.wrong_codes.counted == WrongCodes(in_a_row=4)


def test_a_new_code_replaces_the_old(desk: ScaDesk) -> None:
    """The one sent first does not work any more; the new one does."""
    desk.start()
    desk.start()

    assert isinstance(desk.judge("000001").refusal, CodeWrong)
    assert desk.judge("000002").refusal is None


def test_a_code_lives_five_minutes(desk: ScaDesk) -> None:
    """To the moment; an expired one costs no attempt of the next."""
    desk.start()

    assert isinstance(desk.judge("000001", at=NOW + CODE_LIFETIME).refusal, CodeExpired)
    desk.start(at=NOW + CODE_LIFETIME)
    assert desk.judge("000002", at=NOW + 2 * CODE_LIFETIME - timedelta(seconds=1)).refusal is None


def test_not_more_than_four_codes(desk: ScaDesk) -> None:
    """A phone is not flooded."""
    for _ in range(4):
        desk.start()

    with pytest.raises(TooManyCodes, match="4 codes"):
        desk.start()
    assert len(desk.inbox.delivered) == 4


def test_the_code_itself_is_not_kept(desk: ScaDesk) -> None:
    """Only a hash with its salt."""
    desk.start()

    (kept,) = desk.store.kept.values()
    assert kept.status is ChallengeStatus.SENT
    assert kept.code_hash == hash_code("000001", statement=STATEMENT, salt=kept.salt)
    assert b"000001" not in kept.code_hash


def test_codes_have_six_digits_whatever_the_number() -> None:
    """Small numbers keep their leading zeros; two hundred codes are not all alike."""
    codes = {SystemCodes().code() for _ in range(200)}

    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(codes) > 150
