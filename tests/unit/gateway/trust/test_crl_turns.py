"""Whose turn it is to be fetched, however many are due, slow or broken."""

from __future__ import annotations

from gateway.trust.crl_points import Point
from gateway.trust.crl_turns import AT_ONCE, FAILED_AT_ONCE, OF_A_STORE, next_turns


def point(store: str, number: int = 0, *, failed: bool = False, due_at: float = 0) -> Point:
    failure = "answered 404" if failed else None
    return Point(store, f"http://{store}/{number}", due_at, tried_at=None, taken_at=None, etag=None, failure=failure)


def stores_of(points: list[Point]) -> list[str]:
    return [each.store for each in points]


def test_who_waits_longest_goes_first_and_nobody_twice() -> None:
    due = [point("a", due_at=3), point("b", due_at=1), point("c", due_at=2)]
    assert stores_of(next_turns(due, [])) == ["b", "c", "a"]
    assert stores_of(next_turns(due, [due[1]])) == ["c", "a"]


def test_a_store_with_many_addresses_leaves_turns_to_others() -> None:
    hostile = [point("hostile", number) for number in range(50)]
    assert stores_of(next_turns([*hostile, point("honest", due_at=9)], [])) == ["hostile"] * OF_A_STORE + ["honest"]


def test_what_failed_last_time_leaves_turns_to_what_did_not() -> None:
    """Of all stores together, and of each by itself; it has its turn all the same."""
    failing = [point(f"s{number}", failed=True, due_at=-9) for number in range(50)]
    begun = next_turns([*failing, point("sound")], [])
    assert stores_of(begun)[0] == "sound"
    assert len(begun) == 1 + FAILED_AT_ONCE
    of_one = [point("a", number, failed=True) for number in range(5)]
    assert len(next_turns(of_one, [])) == 1
    assert [each.failure for each in next_turns([*of_one, point("a", 9)], [of_one[0]])] == [None]


def test_so_many_are_under_way_at_most() -> None:
    due = [point(f"s{number}") for number in range(50)]
    assert len(next_turns(due, [])) == AT_ONCE
    assert next_turns(due, due[:AT_ONCE]) == []
