"""Passkeys: the signature covers the statement, the origin is ours, the user was verified, a copy is noticed (WebAuthn §7)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bank_backend.sca.errors import CodeExpired, PasskeyWrong
from bank_backend.sca.model import MethodType
from bank_backend.sca.passkeys import PasskeyRefused, Passkeys, challenge_bytes
from tests.support.authenticator import ORIGIN, SoftPasskey
from tests.support.sca import NO_CONNECTION, NOW, RECIPIENT, STATEMENT, ScaDesk, method

CHALLENGE = bytes(range(32))


@pytest.fixture
def passkey() -> SoftPasskey:
    return SoftPasskey()


@pytest.fixture
def desk(passkey: SoftPasskey) -> ScaDesk:
    """Lend Anna's methods with a passkey among them."""
    desk, party = ScaDesk(), Passkeys(ORIGIN)
    credential, count = party.registered(passkey.register(registration(party)), challenge=CHALLENGE)
    desk.methods.add(NO_CONNECTION, [method(MethodType.PASSKEY, credential=credential, sign_count=count)])
    return desk


def registration(party: Passkeys) -> dict[str, Any]:
    return party.registration(tenant="PSDDE-BAFIN-100001", login="anna.weber", name="Anna Weber", known=[], challenge=CHALLENGE)


def asked(desk: ScaDesk, statement: str = STATEMENT) -> dict[str, Any]:
    return desk.sca.passkey_request(NO_CONNECTION, desk.start(MethodType.PASSKEY, statement=statement))


def judged(desk: ScaDesk, answer: dict[str, Any], statement: str = STATEMENT) -> Any:
    verdict = desk.sca.judge_passkey(NO_CONNECTION, RECIPIENT, answer=answer, statement=statement, now=NOW)
    return verdict.refusal


def test_a_passkey_confirms_a_statement_once(desk: ScaDesk, passkey: SoftPasskey) -> None:
    """The same answer for the next request is worth nothing."""
    answer = passkey.sign(asked(desk))

    assert judged(desk, answer) is None
    assert isinstance(judged(desk, answer), CodeExpired)
    asked(desk)
    assert isinstance(judged(desk, answer), PasskeyWrong)


def test_a_passkey_that_counts_nothing_confirms_once_too(desk: ScaDesk, passkey: SoftPasskey) -> None:
    """Many don't count: the challenge is new each time, for the same statement too."""
    passkey.count = -1
    answer = passkey.sign(asked(desk))
    assert judged(desk, answer) is None

    asked(desk)
    assert isinstance(judged(desk, answer), PasskeyWrong)


def test_the_challenge_is_made_of_the_statement(desk: ScaDesk, passkey: SoftPasskey) -> None:
    """Dynamic linking by the signature itself: one over another amount does not verify (RTS Art. 5 (1)(b), (d))."""
    dearer = STATEMENT.replace("123.50", "923.50")
    assert challenge_bytes(b"salt", b"one") != challenge_bytes(b"salt", b"another")
    answer = passkey.sign(asked(desk))

    assert isinstance(judged(desk, answer, dearer), PasskeyWrong)
    asked(desk, dearer)
    assert isinstance(judged(desk, answer, dearer), PasskeyWrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://localhost:8440"},
        {"origin": "https://localhost.evil.example:8441"},
        {"host": "evil.example"},
        {"flags": 0x01},
        {"flags": 0x04},
        {"id": b"another id"},
        {"key": SoftPasskey().key},
    ],
    ids=["port", "origin", "party", "user not verified", "user not present", "id", "key"],
)
def test_what_is_wrong_in_one_way_confirms_nothing(desk: ScaDesk, passkey: SoftPasskey, wrong: dict[str, Any]) -> None:
    """Each alone (WebAuthn Level 3 §7.2)."""
    for name, value in wrong.items():
        setattr(passkey, name, value)

    assert isinstance(judged(desk, passkey.sign(asked(desk))), PasskeyWrong)


def test_a_copied_passkey_is_noticed(desk: ScaDesk, passkey: SoftPasskey) -> None:
    """Its count goes back (WebAuthn Level 3 §6.1.1)."""
    passkey.count = 7
    assert judged(desk, passkey.sign(asked(desk))) is None
    passkey.count = 3

    assert isinstance(judged(desk, passkey.sign(asked(desk))), PasskeyWrong)


@pytest.mark.parametrize("answer", [{}, {"id": 1}, {"rawId": "!", "response": []}, {"rawId": "AA", "response": {}}])
def test_an_answer_that_is_none_is_wrong_and_counted(desk: ScaDesk, answer: dict[str, Any]) -> None:
    """Whatever a browser makes up; three of them end it."""
    asked(desk)

    assert isinstance(judged(desk, answer), PasskeyWrong)
    judged(desk, answer)
    verdict = desk.sca.judge_passkey(NO_CONNECTION, RECIPIENT, answer=answer, statement=STATEMENT, now=NOW)
    assert verdict.is_final


@pytest.mark.parametrize("wrong", [{"origin": "https://localhost:8440"}, {"host": "evil.example"}, {"flags": 0x01}])
def test_a_passkey_of_elsewhere_is_not_registered(wrong: dict[str, Any]) -> None:
    """Another origin, another party, or a user that was not verified (WebAuthn Level 3 §7.1)."""
    party = Passkeys(ORIGIN)

    with pytest.raises(PasskeyRefused):
        party.registered(SoftPasskey(**wrong).register(registration(party)), challenge=CHALLENGE)


def test_an_answer_to_another_challenge_is_not_registered(passkey: SoftPasskey) -> None:
    """One that was caught elsewhere."""
    party = Passkeys(ORIGIN)

    with pytest.raises(PasskeyRefused):
        party.registered(passkey.register(registration(party)), challenge=bytes(32))


def test_a_device_keeps_the_passkeys_of_two_banks_apart() -> None:
    """Logins repeat from tenant to tenant: a handle of the login alone would overwrite one with the other."""
    party = Passkeys(ORIGIN)
    handles = {
        party.registration(tenant=tenant, login="anna.weber", name="Anna", known=[], challenge=CHALLENGE)["user"]["id"]
        for tenant in ("PSDDE-BAFIN-100001", "PSDFR-ACPR-100002")
    }

    assert len(handles) == 2
    assert not any(b"anna" in base64.urlsafe_b64decode(f"{each}==") for each in handles)
