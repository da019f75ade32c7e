"""Codes of an authenticator app: RFC 6238's vectors, one step of delay, each step once, sealed secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bank_backend.errors import PsuLocked
from bank_backend.sca.errors import CodeWrong
from bank_backend.sca.model import CODE_LOCK, MethodType, WrongCodes
from bank_backend.sca.secrets import published_secret
from bank_backend.sca.totp import base32_of, code_at, matching_step, new_totp_secret, provisioning_uri, secret_of
from chassis.sealing import KeyFile, Seal, SealBroken
from tests.support.sca import NOW, STATEMENT, TOTP_SECRET, ScaDesk

if TYPE_CHECKING:
    from pathlib import Path

STEP = timedelta(seconds=30)


@pytest.fixture
def desk() -> ScaDesk:
    desk = ScaDesk()
    desk.start(MethodType.TOTP)
    return desk


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    """RFC 6238 appendix B, the last six of the eight digits."""
    assert code_at(TOTP_SECRET, datetime.fromtimestamp(seconds, UTC)) == code


@pytest.mark.parametrize(("offset", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_may_be_one_step_off(offset: int, fits: bool) -> None:  # noqa: FBT001 - a table's column
    """A telephone's clock is never quite right (RFC 6238 §6)."""
    code = code_at(TOTP_SECRET, NOW + offset * STEP)

    assert (matching_step(TOTP_SECRET, code, moment=NOW, after=None) is not None) is fits


def test_a_step_that_was_used_fits_no_more() -> None:
    """Nor one before it (RFC 6238 §5.2)."""
    code = code_at(TOTP_SECRET, NOW)
    step = matching_step(TOTP_SECRET, code, moment=NOW, after=None)
    assert step is not None

    assert matching_step(TOTP_SECRET, code, moment=NOW, after=step) is None
    assert matching_step(TOTP_SECRET, code, moment=NOW, after=step - 1) == step


def test_a_code_approves_once(desk: ScaDesk) -> None:
    """The same code for the next request is worth nothing, nor is an older one (RFC 6238 §5.2)."""
    code, older = desk.shown_by_authenticator(), code_at(TOTP_SECRET, NOW - STEP)
    assert desk.judge(code).refusal is None

    desk.start(MethodType.TOTP)

    assert isinstance(desk.judge(code).refusal, CodeWrong)
    assert isinstance(desk.judge(older).refusal, CodeWrong)
    desk.device.advance(STEP)
    assert desk.judge(desk.shown_by_authenticator()).refusal is None


def test_a_right_code_does_not_approve_another_statement(desk: ScaDesk) -> None:
    """The challenge is bound to amount and payee, and the code to the challenge (RTS Art. 5); its step is not used up."""
    code = desk.shown_by_authenticator()

    assert isinstance(desk.judge(code, statement=STATEMENT.replace("123.50", "923.50")).refusal, CodeWrong)
    assert desk.judge(code).refusal is None


def test_authenticators_go_by_the_real_time(desk: ScaDesk) -> None:
    """The tenant's clock is years ahead; the telephone shows what it shows."""
    ahead = NOW + timedelta(days=700)
    desk.start(MethodType.TOTP, at=ahead)

    assert desk.judge(desk.shown_by_authenticator(), at=ahead).refusal is None


def test_wrong_codes_of_an_authenticator_lock_too(desk: ScaDesk) -> None:
    """The fifth in a row; the right code is then not even looked at."""
    desk.wrong_codes.counted = WrongCodes(in_a_row=4)
    wrong = "000000" if desk.shown_by_authenticator() != "000000" else "111111"

    desk.judge(wrong)

    assert isinstance(desk.judge(desk.shown_by_authenticator()).refusal, PsuLocked)
    assert desk.judge(desk.shown_by_authenticator(), at=NOW + CODE_LOCK).refusal is not None  # its five minutes are over
    desk.start(MethodType.TOTP, at=NOW + CODE_LOCK)
    assert desk.judge(desk.shown_by_authenticator(), at=NOW + CODE_LOCK).refusal is None


def test_a_secret_has_160_bits_and_fits_a_qr_code() -> None:
    """RFC 4226 §4 R6; the address names bank and PSU."""
    secret = new_totp_secret()

    assert len(secret) == 20
    assert secret_of(base32_of(secret)) == secret
    assert provisioning_uri(secret, account="anna.weber").startswith("otpauth://totp/Musterbank:anna.weber?")
    assert len(secret_of(published_secret("amber-birch-42", "anna.weber"))) == 20
    assert published_secret("amber-birch-42", "anna.weber") != published_secret("amber-birch-43", "anna.weber")


def test_a_sealed_secret_opens_for_its_method_only(tmp_path: Path) -> None:
    """A row copied to another PSU's method opens nothing, nor does another key; the key is its owner's alone."""
    seal = Seal(KeyFile(tmp_path / "var" / "sca.key"))
    sealed = seal.close(TOTP_SECRET, owner="a method")

    assert TOTP_SECRET not in sealed
    assert Seal(KeyFile(tmp_path / "var" / "sca.key")).open(sealed, owner="a method") == TOTP_SECRET
    with pytest.raises(SealBroken):
        seal.open(sealed, owner="another method")
    with pytest.raises(SealBroken):
        Seal(KeyFile(tmp_path / "other.key")).open(sealed, owner="a method")
    assert (tmp_path / "var" / "sca.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "var").iterdir()] == ["sca.key"]
