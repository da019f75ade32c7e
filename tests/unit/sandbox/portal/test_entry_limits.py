"""How often one may try to get in, and how much one may send."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tests.support.portal import PortalUnderTest

if TYPE_CHECKING:
    from pathlib import Path


ANNA = "anna@acme.example"


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    return PortalUnderTest(tmp_path)


def seconds(count: float) -> dt.timedelta:
    return dt.timedelta(seconds=count)


def test_guessing_a_password_ends_and_begins_again_by_itself(portal: PortalUnderTest) -> None:
    """The right password is refused too then, or the limit would tell; attempts in between don't prolong it."""
    portal.sign_up(ANNA)
    for _ in range(10):
        assert portal.sign_in(ANNA, "wrong password here").status_code == 422

    refused = portal.sign_in(ANNA)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "900")
    assert "Try again in 15 minutes" in refused.get_data(as_text=True)
    portal.world.clock.advance(seconds(890))
    assert portal.sign_in(ANNA).status_code == 429
    portal.world.clock.advance(seconds(11))
    assert portal.sign_in(ANNA).status_code == 303


def test_an_unknown_address_is_limited_like_a_known_one(portal: PortalUnderTest) -> None:
    """Else the limit would tell who has an account."""
    portal.sign_up(ANNA)

    def statuses(email: str) -> list[int]:
        return [portal.sign_in(email, "wrong password here").status_code for _ in range(12)]

    assert statuses(ANNA) == statuses("nobody@acme.example") == [422] * 10 + [429] * 2


def test_one_address_can_not_try_many_accounts(portal: PortalUnderTest) -> None:
    """And owning an account does not wash it clean."""
    portal.sign_up(ANNA)
    for number in range(49):
        portal.sign_in(f"victim{number}@acme.example", "wrong password here")
        if number % 10 == 0:
            assert portal.sign_in(ANNA).status_code == 303
            portal.post("/sign-out")
    portal.sign_in("victim49@acme.example", "wrong password here")

    assert portal.sign_in("victim50@acme.example", "wrong password here").status_code == 429
    elsewhere = {"X-Sandbox-Address": "198.51.100.9"}
    assert portal.sign_in("victim50@acme.example", "wrong password here", headers=elsewhere).status_code == 422


def test_strangers_everywhere_can_not_lock_a_person_out_of_where_it_was_before(portal: PortalUnderTest) -> None:
    """The limit over all addresses spares those from which the person has signed in."""
    portal.sign_in_as(ANNA)
    portal.post("/sign-out")
    for number in range(101):
        botnet = {"X-Sandbox-Address": f"198.51.100.{number}"}
        status = portal.sign_in(ANNA, "wrong password here", headers=botnet).status_code
    assert status == 429

    assert portal.sign_in(ANNA).status_code == 303


def test_accounts_are_made_at_a_limited_rate(portal: PortalUnderTest) -> None:
    """By address, and it says when to come back."""
    for number in range(portal.settings.sign_ups_per_hour):
        assert portal.sign_up(f"person{number}@acme.example").status_code == 303

    refused = portal.sign_up("one.more@acme.example")

    assert refused.status_code == 429
    assert "Try again in" in refused.get_data(as_text=True)
    assert "one.more@acme.example" in refused.get_data(as_text=True)
    portal.world.clock.advance(seconds(3601))
    assert portal.sign_up("one.more@acme.example").status_code == 303


def test_a_megabyte_of_password_is_refused_before_it_is_read(portal: PortalUnderTest) -> None:
    answer = portal.sign_in(ANNA, "a" * 1_000_000)

    assert answer.status_code == 413
    assert "That was too much" in answer.get_data(as_text=True)


def test_the_address_is_the_edges_word_not_the_clients(portal: PortalUnderTest) -> None:
    """Or everybody could make a new one for each attempt."""
    portal.sign_up(ANNA)
    for number in range(10):
        portal.sign_in(ANNA, "wrong password here", headers={"X-Forwarded-For": f"198.51.100.{number}"})

    assert portal.sign_in(ANNA, headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 429
