"""Serial numbers in one block: the same answers as a set of numbers gives, whatever their widths."""

from __future__ import annotations

import random

import pytest

from gateway.trust.serials import MOST_OCTETS, RevokedSerials, SerialTooLong

WIDEST = (1 << (8 * MOST_OCTETS - 1)) - 1


def test_what_is_in_is_found_and_nothing_else() -> None:
    """Numbers of 1 to 20 octets mixed, and each one's neighbours."""
    chance = random.Random(5280)  # noqa: S311 - repeatable, no secret
    numbers = {chance.getrandbits(chance.randrange(1, 160)) for _ in range(2_000)}
    serials = RevokedSerials.of(numbers)

    asked = numbers | {number + step for number in numbers for step in (-1, 1)}
    assert {number for number in asked if number in serials} == numbers
    assert len(serials) == len(numbers)


def test_it_is_read_back_from_its_octets() -> None:
    """As the database keeps it."""
    serials = RevokedSerials.of([1, 300, 2**159 - 1])

    assert RevokedSerials(serials.width, serials.octets) == serials
    assert len(serials.octets) == 3 * 20


@pytest.mark.parametrize("number", [0, 127, 128, 255, 256, -1, -128, -129, 2**64, WIDEST >> 16])
def test_every_sign_and_width_counts(number: int) -> None:
    """Some CAs have issued zero and negative serial numbers; neither stands for another."""
    assert number in RevokedSerials.of([number])
    assert number not in RevokedSerials.of([number + 1, -number - 1 if number else 5, number ^ 0x80])


def test_nothing_is_in_an_empty_list() -> None:
    """A CA that has revoked nothing."""
    assert 1 not in RevokedSerials.of([])
    assert len(RevokedSerials.of([])) == 0
    assert WIDEST + 1 not in RevokedSerials.of([WIDEST])


def test_a_serial_number_beyond_all_bounds_is_refused() -> None:
    """One would make every other as wide."""
    with pytest.raises(SerialTooLong, match="33 octets"):
        RevokedSerials.of([1, WIDEST + 1])
