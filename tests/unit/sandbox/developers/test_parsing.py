"""What people type about themselves."""

from __future__ import annotations

import pytest

from sandbox.developers.errors import FieldRefused
from sandbox.developers.parsing import email_key, parsed_email, parsed_name


@pytest.mark.parametrize("text", ["anna@acme.example", " Anna.Weber@Acme.example ", "a+b@x.test", "jürgen@exämple.de"])
def test_addresses(text: str) -> None:
    assert "@" in parsed_email(text)


@pytest.mark.parametrize(
    "text", ["", "anna", "anna@", "a b@acme.example", "anna@acme.example\r\nBcc: x@y.example", "a" * 255 + "@acme.example"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(FieldRefused, match=r"anna@acme\.example"):
        parsed_email(text)


def test_addresses_are_compared_without_regard_to_capitals_and_form() -> None:
    """Else two people could look like one."""
    assert email_key(" Anna@ACME.example") == email_key("anna@acme.example")
    assert email_key("jose\u0301@acme.example") == email_key("jos\u00e9@acme.example")


def test_spaces_in_a_name_are_put_right() -> None:
    assert parsed_name("  Anna \t Weber ", field="name", example="x") == "Anna Weber"


@pytest.mark.parametrize("text", ["", "   ", "a" * 101, "Anna\x00", "Anna\u202eWeber", "\u200b"])
def test_names_that_are_refused(text: str) -> None:
    """Empty, too long, or with characters that nobody sees, those that turn the writing round included."""
    with pytest.raises(FieldRefused, match="Anna Weber"):
        parsed_name(text, field="name", example="Anna Weber")
