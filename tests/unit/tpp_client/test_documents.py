"""Reading JSON answers field by field."""

from __future__ import annotations

import pytest

from psd2.money import Money
from tpp_client.documents import Document
from tpp_client.errors import UnexpectedResponse


def document(**fields: object) -> Document:
    return Document(fields, "the answer")


def test_fields_are_read_by_type() -> None:
    """What is there, of the right type, comes back as it is."""
    found = document(name="Anna", count=3, yes=True, deep={"er": "x"}, many=[{"a": "1"}, {"a": "2"}])

    assert found.text("name") == "Anna"
    assert found.whole_number("count") == 3
    assert found.flag("yes") is True
    assert found.child("deep").text("er") == "x"
    assert [entry.text("a") for entry in found.children("many")] == ["1", "2"]


@pytest.mark.parametrize(
    ("value", "reading"),
    [(None, "text"), ("", "text"), (7, "text"), ("7", "whole_number"), (True, "whole_number"), ("true", "flag"), ([], "child")],
)
def test_a_wrong_field_is_named_with_its_place(value: object, reading: str) -> None:
    """The error says which document, which field, and what would be right."""
    with pytest.raises(UnexpectedResponse, match=r"the answer: field 'field' should be"):
        getattr(document(field=value), reading)("field")


def test_an_error_never_repeats_the_value() -> None:
    """A value in the wrong place may be a token."""
    with pytest.raises(UnexpectedResponse) as caught:
        document(expires_in="s3cret-token").whole_number("expires_in")

    assert "s3cret" not in str(caught.value)


def test_an_absent_flag_is_no_no() -> None:
    """`fundsAvailable` left out must not read as false."""
    with pytest.raises(UnexpectedResponse, match="absent"):
        document().flag("fundsAvailable")


def test_money_is_exact() -> None:
    """Amounts are read without rounding; excess digits are an error that names the field."""
    assert document(balance={"currency": "EUR", "amount": "-12.30"}).money("balance") == Money(-1230, "EUR")
    with pytest.raises(UnexpectedResponse, match="balance"):
        document(balance={"currency": "EUR", "amount": "1.005"}).money("balance")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """HTML, nothing, or a bare array is not an answer."""
    with pytest.raises(UnexpectedResponse, match="the answer"):
        Document.parse(body, "the answer")
