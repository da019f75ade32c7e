"""What TPPs write in bodies: each way of getting it wrong is told by its place and what would be right."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated, Literal

import orjson
import pytest
from pydantic import Field

from bank_backend.bodies import AmountBody, Body, Day, Max35Text, ReferenceBody, read_internal_body, read_tpp_body
from bank_backend.errors import FieldsInvalid, FormatError
from bank_backend.leniency import Leniency, begin_leniency, leniency_in_hand

if TYPE_CHECKING:
    from collections.abc import Iterator


class Payment(Body):
    """Something with everything that bodies hold."""

    name: Max35Text
    account: ReferenceBody
    amount: AmountBody
    on: Day | None = None
    often: Annotated[int, Field(ge=1, le=4)] = 1
    speed: Literal["slow", "fast"] | None = None
    urgent: bool = False
    parts: Annotated[list[AmountBody], Field(min_length=1, max_length=3)] | None = None


GOOD: dict[str, object] = {
    "name": "Rent",
    "account": {"iban": "DE40100100103307118608"},
    "amount": {"currency": "EUR", "amount": "12.50"},
}


@pytest.fixture(autouse=True)
def _strict_bank() -> Iterator[None]:
    begin_leniency(Leniency())
    yield
    begin_leniency(Leniency())


def refusal_of(data: bytes) -> FormatError:
    """Return why the body is refused."""
    with pytest.raises(FormatError) as refusal:
        read_tpp_body(data, Payment)
    return refusal.value


def with_change(**changes: object) -> bytes:
    """Return a good body with members changed."""
    return orjson.dumps(GOOD | changes)


def test_a_good_body_is_read() -> None:
    """Into its types."""
    payment = read_tpp_body(with_change(on="2030-12-31"), Payment)

    assert payment.on is not None
    assert (payment.amount.parsed.minor, payment.on.year) == (1250, 2030)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"name=Rent", "no JSON"),
        (b'{"name": "Rent",}', "no JSON"),
        (b'{"often": NaN}', "no JSON"),
        (b'{"often": Infinity}', "no JSON"),
        (b'{"name": "\xff"}', "no JSON"),
        (b'{"name": "Rent"} {}', "no JSON"),
        (b"[" * 17 + b"1" + b"]" * 17, "deeper than 16"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "deeper than 16"),
        (b"[" * 200_000, "no JSON|deeper"),
        (b"[]", "the body is a list, and an object in { } is meant"),
        (b'"Rent"', "the body is a text, and an object"),
    ],
)
def test_a_body_that_is_no_json_object_says_what_it_is(data: bytes, says: str) -> None:
    """Not JSON, empty, too deep, of another kind."""
    assert re.search(says, refusal_of(data).text)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b'{"name": "Rent", "name": "Gift"}', "name"),
        (b'{"amount": {"amount": "1.00", "currency": "EUR", "amount": "9.00"}}', "amount"),
        (b'{"n\\u0061me": "Rent", "name": "Gift"}', "name"),
    ],
)
def test_a_member_given_twice_is_refused(data: bytes, path: str) -> None:
    """Two programs would read two different payments."""
    error = refusal_of(data)

    assert "twice" in error.text
    assert error.path == path


def test_a_member_given_twice_is_found_at_once_among_many() -> None:
    """A body as large as the bank takes holds up nobody else: this took half a minute of a worker."""
    many = b",".join(b'"%d":0' % number for number in range(24_000))
    began = time.process_time()

    error = refusal_of(b"{" + many + b',"x":1,"x":2}')

    assert error.path == "x"
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"name": 7}, "name", "is a number, and a text, in quotes, is meant"),
        ({"name": None}, "name", "is null, and a text"),
        ({"name": "a\nb"}, "name", "control character"),
        ({"account": "DE40100100103307118608"}, "account", "is a text, and an object in { } is meant"),
        ({"account": {"iban": "DE41100100103307118608"}}, "account.iban", "DE41100100103307118608"),
        ({"amount": {"currency": "EUR", "amount": 12.5}}, "amount.amount", "is a number, and a text"),
        ({"amount": {"currency": "EUR", "amount": "12.505"}}, "amount.amount", "3 decimal digits, EUR has 2"),
        ({"amount": {"currency": "EUR", "amount": "1e3"}}, "amount.amount", "is no amount"),
        ({"amount": {"currency": "JPY", "amount": "1.5"}}, "amount.amount", "JPY has 0"),
        ({"amount": {"currency": "euro", "amount": "1"}}, "amount.currency", "three capital letters"),
        ({"parts": [GOOD["amount"], {"currency": "EUR", "amount": "x"}]}, "parts[1].amount", "is no amount"),
        ({"parts": {}}, "parts", "is an object, and a list"),
        ({"on": "31.12.2030"}, "on", "is no date"),
        ({"on": "2030-02-30"}, "on", "is no date"),
        ({"on": "20301231"}, "on", "is no date"),
        ({"on": 20301231}, "on", "is a number"),
        ({"often": "1"}, "often", "is a text, and a whole number"),
        ({"often": 1.5}, "often", "whole number"),
        ({"often": True}, "often", "is true or false, and a whole number"),
        ({"urgent": "true"}, "urgent", "is a text, and true or false, without quotes, is meant"),
        ({"name": ""}, "name", "name is empty"),
        ({"name": "x" * 36}, "name", "name is longer than 35 characters"),
        ({"parts": []}, "parts", "parts has 0 entries, and at least 1 are needed"),
        ({"parts": [GOOD["amount"]] * 4}, "parts", "parts has more than 3 entries"),
        ({"often": 0}, "often", "often is below 1, the least that is taken"),
        ({"often": 5}, "often", "often is above 4, the most that is taken"),
        ({"speed": "quick"}, "speed", "speed is none of 'slow' or 'fast'"),
        ({"extra": 1}, "extra", "is not known here, and is refused rather than ignored: remove it"),
        ({"account": {"iban": "DE40100100103307118608", "bban": "1"}}, "account.bban", "is not known here"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(changes: dict[str, object], path: str, says: str) -> None:
    """FORMAT_ERROR: which field, what is wrong with it, what would be right."""
    error = refusal_of(with_change(**changes))

    assert error.path == path
    assert says in error.text
    assert error.others == ()


def test_all_wrong_fields_are_told_at_once_up_to_ten() -> None:
    """A developer corrects them in one go; a body full of faults is answered in bounds."""
    error = refusal_of(orjson.dumps({"name": 1, "account": {"iban": "x"}, "on": "x"}))
    many = refusal_of(with_change(**{f"field{number}": 1 for number in range(40)}))

    assert [fault.path for fault in (error, *error.others)] == ["name", "account.iban", "amount", "on"]
    assert len(many.others) == 9


def test_a_lenient_bank_leaves_unknown_fields_out_and_notes_them() -> None:
    """Wherever they stand; what the bank knows is read as ever."""
    begin_leniency(Leniency(ignores_unknown_fields=True))
    body = with_change(extra=1, parts=[{"currency": "EUR", "amount": "1.00", "note": "x"}], account=GOOD["account"] | {"b": 1})  # type: ignore[operator]

    payment = read_tpp_body(body, Payment)

    assert payment.parts
    assert payment.parts[0].parsed.minor == 100
    assert sorted(leniency_in_hand().ignored) == ["account.b", "extra", "parts[0].note"]


def test_a_lenient_bank_is_strict_about_what_it_knows() -> None:
    """Forgiven is what is too much, not what is wrong."""
    begin_leniency(Leniency(ignores_unknown_fields=True))

    assert refusal_of(with_change(extra=1, name=7)).path == "name"


def test_internal_callers_hear_of_every_field() -> None:
    """By name."""
    with pytest.raises(FieldsInvalid) as refusal:
        read_internal_body(with_change(name=7, extra=1), Payment)

    assert set(refusal.value.fields) == {"name", "extra"}
