"""Passwords: right, wrong, unknown, and too many wrong ones."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bank_backend.errors import PsuCredentialsInvalid, PsuLocked, TooManySignIns
from bank_backend.psus import service
from bank_backend.psus.passwords import hash_password, is_password
from bank_backend.psus.service import LOCK, MOST_FAILURES
from bank_backend.psus.store import SqlPsuStore
from chassis.serving.turnstile import Turnstile
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


def test_guesses_side_by_side_have_no_more_tries(bank: SeededBank, monkeypatch: pytest.MonkeyPatch) -> None:
    """What locks while a password is hashed locks it too, right or not: else each thread of the bank were a try more."""

    def is_password_of_many(text: str, known: str) -> bool:
        with monkeypatch.context() as alone:
            alone.setattr(service, "is_password", is_password)
            fail(bank, MOST_FAILURES)
        return is_password(text, known)

    monkeypatch.setattr(service, "is_password", is_password_of_many)

    with pytest.raises(PsuLocked):
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


def test_those_who_sign_in_leave_room_for_others(bank: SeededBank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing is slow: of four at a time in a worker of four threads one is told to come back at once, three are served."""
    begun, may_end = threading.Semaphore(0), threading.Event()

    def slow(_password: str, _known: str) -> bool:
        begun.release()
        return may_end.wait(30)

    def sign_in(_place: int) -> str:
        return bank.services.psus.verify_password(TENANT, ANNA, "any").name

    monkeypatch.setattr(service, "is_password", slow)
    with ThreadPoolExecutor(4) as crowd:
        inside = [crowd.submit(sign_in, place) for place in range(2)]
        assert all(begun.acquire(timeout=30) for _ in inside)
        waiting = [crowd.submit(sign_in, place) for place in range(2)]
        done, _ = wait(waiting, timeout=30, return_when=FIRST_COMPLETED)
        may_end.set()
        assert [type(each.exception()) for each in done] == [TooManySignIns]
        assert [each.result(30) for each in {*inside, *waiting} - done] == ["Anna Weber"] * 3


def test_in_a_crowd_an_unknown_name_sounds_like_a_known_one(bank: SeededBank) -> None:
    """It is hashed for as well."""
    gate = Turnstile(inside=1, waiting=0, patience_seconds=0)
    directory = service.PsuDirectory(store=SqlPsuStore(bank.database), clock=bank.services.clock, gate=gate)

    with gate.passage():
        for login in (ANNA, "nobody"):
            with pytest.raises(TooManySignIns):
                directory.verify_password(TENANT, login, "any")
