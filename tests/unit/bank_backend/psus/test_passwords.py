"""Passwords: right, wrong, unknown, and too many wrong ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bank_backend.errors import PsuCredentialsInvalid, PsuLocked
from bank_backend.psus.passwords import hash_password, is_password
from bank_backend.psus.service import LOCK, MOST_FAILURES
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT

if TYPE_CHECKING:
    from tests.support.bank_core import SeededBank


def password(bank: SeededBank) -> str:
    return bank.services.tenants.tenant(TENANT).persona_password


def fail(bank: SeededBank, times: int, login: str = ANNA) -> None:
    for _ in range(times):
        with pytest.raises(PsuCredentialsInvalid):
            bank.services.psus.verify_password(TENANT, login, "wrong")


def test_the_right_password_gives_the_psu(bank: SeededBank) -> None:
    """Name and all."""
    assert bank.services.psus.verify_password(TENANT, ANNA, password(bank)).name == "Anna Weber"


def test_a_wrong_password_and_an_unknown_login_sound_the_same(bank: SeededBank) -> None:
    """Nobody learns from the refusal who banks here."""
    with pytest.raises(PsuCredentialsInvalid) as wrong:
        bank.services.psus.verify_password(TENANT, ANNA, "wrong")
    with pytest.raises(PsuCredentialsInvalid) as unknown:
        bank.services.psus.verify_password(TENANT, "nobody", "wrong")

    assert wrong.value.text == unknown.value.text
    assert type(wrong.value) is type(unknown.value)


def test_another_tenants_password_is_wrong(bank: SeededBank) -> None:
    """Both tenants have an Anna; each has a password of its own."""
    theirs = bank.services.tenants.tenant(OTHER_TENANT).persona_password
    assert theirs != password(bank)

    with pytest.raises(PsuCredentialsInvalid):
        bank.services.psus.verify_password(TENANT, ANNA, theirs)


def test_five_failures_lock_for_a_while(bank: SeededBank) -> None:
    """Then the right password is refused too, for a quarter of an hour, and says until when."""
    fail(bank, MOST_FAILURES)

    with pytest.raises(PsuLocked, match="10:41 UTC"):
        bank.services.psus.verify_password(TENANT, ANNA, password(bank))
    bank.clock.advance(LOCK - timedelta(seconds=1))
    with pytest.raises(PsuLocked):
        bank.services.psus.verify_password(TENANT, ANNA, password(bank))

    bank.clock.advance(timedelta(seconds=1))
    bank.services.psus.verify_password(TENANT, ANNA, password(bank))


def test_a_lock_is_one_psus(bank: SeededBank) -> None:
    """Neither another PSU nor the same login in another tenant is locked with her."""
    fail(bank, MOST_FAILURES)

    bank.services.psus.verify_password(TENANT, JONAS, password(bank))
    theirs = bank.services.tenants.tenant(OTHER_TENANT).persona_password
    bank.services.psus.verify_password(OTHER_TENANT, ANNA, theirs)


def test_a_success_forgets_the_failures(bank: SeededBank) -> None:
    """Only failures in a row count."""
    fail(bank, MOST_FAILURES - 1)
    bank.services.psus.verify_password(TENANT, ANNA, password(bank))
    fail(bank, MOST_FAILURES - 1)

    bank.services.psus.verify_password(TENANT, ANNA, password(bank))


def test_failures_at_the_same_time_are_all_counted(bank: SeededBank) -> None:
    """Five threads that guess together lock as five that guess in turn."""

    def guess(_: int) -> None:
        with pytest.raises(PsuCredentialsInvalid):
            bank.services.psus.verify_password(TENANT, ANNA, "wrong")

    with ThreadPoolExecutor(MOST_FAILURES) as pool:
        list(pool.map(guess, range(MOST_FAILURES)))

    with pytest.raises(PsuLocked):
        bank.services.psus.verify_password(TENANT, ANNA, password(bank))


def test_a_hash_fits_its_password_only() -> None:
    """A PHC string of Argon2id; what is longer than any password is none."""
    phc = hash_password("amber-birch-1234", salt=b"0123456789abcdef")

    assert phc.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password("amber-birch-1234", phc)
    assert not is_password("amber-birch-1235", phc)
    assert not is_password("x" * 129, hash_password("x" * 129, salt=b"0123456789abcdef"))
