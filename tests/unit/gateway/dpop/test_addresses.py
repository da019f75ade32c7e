"""Addresses that are the same, and those that are not (RFC 9449 §4.3, RFC 3986 §6.2)."""

from __future__ import annotations

import pytest

from gateway.dpop.addresses import comparable

ADDRESS = "https://bank.example/v1/accounts/%C3%A4"


@pytest.mark.parametrize(
    "same",
    [
        "https://bank.example:443/v1/accounts/%C3%A4",
        "HTTPS://BANK.example/v1/accounts/%c3%a4",
        "https://bank.example/v1/%61ccounts/%C3%A4",
        "https://bank.example/v1/./x/../accounts/%C3%A4",
        "https://bank.example/v1/accounts/%C3%A4?withBalance=true",
        "https://bank.example/v1/accounts/%C3%A4#fragment",
    ],
)
def test_one_address_in_other_words(same: str) -> None:
    """Normalised by syntax and by scheme; query and fragment don't count."""
    assert comparable(same) == comparable(ADDRESS)


@pytest.mark.parametrize(
    "other",
    [
        "http://bank.example/v1/accounts/%C3%A4",
        "https://bank.example:8443/v1/accounts/%C3%A4",
        "https://bank.example./v1/accounts/%C3%A4",
        "https://bank.example/v1/accounts/%C3%A4/",
        "https://bank.example/V1/accounts/%C3%A4",
        "https://bank.example/v1%2Faccounts/%C3%A4",
        "https://bank.example//v1/accounts/%C3%A4",
        "https://other.example/v1/accounts/%C3%A4",
    ],
)
def test_another_address(other: str) -> None:
    """A different one is not made the same by any normalisation."""
    assert comparable(other) != comparable(ADDRESS)


def test_an_empty_path_is_the_root() -> None:
    """RFC 3986 §6.2.3."""
    assert comparable("https://bank.example") == comparable("https://bank.example/")
    assert comparable("https://[::1]:443/a") == comparable("https://[::1]/a")


@pytest.mark.parametrize(
    "text", ["", "bank.example/v1", "//bank.example/", "ftp://bank.example/", "https://user@bank.example/", "https:///v1",
             "https://bank.example:port/", "https://bank.example/%zz", "https://bank.example/ä", "https://bank.example/ "],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    """It equals nothing."""
    with pytest.raises(ValueError, match=r"."):
        comparable(text)
