"""Which passwords are taken, how they are kept, and what verifying one costs."""

from __future__ import annotations

import pytest

from sandbox.developers.errors import FieldRefused
from sandbox.developers.passwords import RECOMMENDED, Cost, PasswordHasher, require_acceptable
from tests.support.portal import CHEAP, CountingGate, OpenGate

GOOD = "correct horse battery"


def hasher(cost: Cost = CHEAP) -> PasswordHasher:
    return PasswordHasher(cost=cost, gate=OpenGate())


def test_the_cost_is_one_that_owasp_recommends() -> None:
    """Argon2id, 46 MiB, 1 pass, 1 lane; a salt of 128 bits and a tag of 256, as RFC 9106 §4 has them."""
    phc = hasher(RECOMMENDED).hashed(GOOD)

    assert phc.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    salt, tag = phc.split("$")[-2:]
    assert (len(salt), len(tag)) == (22, 43)


def test_a_password_is_right_for_its_own_hash_only() -> None:
    phc = hasher().hashed(GOOD)

    assert hasher().is_right(GOOD, phc)
    assert not hasher().is_right(GOOD + " ", phc)
    assert hasher().hashed(GOOD) != phc


def test_the_same_letters_from_another_keyboard_are_the_same_password() -> None:
    """Composed and decomposed forms (NIST SP 800-63B §3.1.1.2)."""
    assert hasher().is_right("cafe\u0301 au lait!", hasher().hashed("caf\u00e9 au lait!"))


def test_without_a_hash_the_same_work_is_done_and_the_answer_is_no() -> None:
    """So that an unknown address can't be told by the clock; counted here, for clocks are no good in tests."""
    gate = CountingGate()
    counted = PasswordHasher(cost=CHEAP, gate=gate)

    assert not counted.is_right(GOOD, None)
    assert gate.passed == 1


def test_a_password_longer_than_any_that_is_taken_is_wrong_and_costs_no_more() -> None:
    """A megabyte is cut before it is normalised and hashed."""
    phc = hasher().hashed("a" * 128)

    assert hasher().is_right("a" * 128, phc)
    assert not hasher().is_right("a" * 129, phc)
    assert not hasher().is_right("a" * 1_000_000, phc)


def test_a_hash_of_another_cost_is_outdated() -> None:
    phc = hasher().hashed(GOOD)

    assert not hasher().is_outdated(phc)
    assert hasher(Cost(memory_kib=64, passes=1, lanes=1)).is_outdated(phc)
    assert hasher().is_outdated("$argon2i$v=19$m=32,t=1,p=1$AAAA$AAAA")


@pytest.mark.parametrize("password", [GOOD, "zwölf Zeichen", "aB3$efgh1jkl", "a" * 11 + "bc", "\N{PILE OF POO}" * 10 + "ab"])
def test_length_is_all_that_is_asked(password: str) -> None:
    """No rules of composition; any character."""
    require_acceptable(password, field="password", told=("Anna Weber", "anna@acme.example"))


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("", "at least 12"),
        ("elevenchars", "at least 12"),
        ("a" * 129, "at most 128"),
        ("aaaaaaaaaaaaaaa", "easy to guess"),
        ("abababababab", "easy to guess"),
        ("ANNA@acme.example", "easy to guess"),
    ],
)
def test_passwords_that_are_refused(password: str, complaint: str) -> None:
    with pytest.raises(FieldRefused, match=complaint) as refused:
        require_acceptable(password, field="password", told=("Anna Weber", "anna@acme.example"))
    assert refused.value.field == "password"
