"""Telephone numbers and addresses that only their owner recognises."""

from __future__ import annotations

from typing import Final

_BULLETS: Final = 3 * "\N{BULLET}"
_PHONE_DIGITS_SHOWN: Final = 3


def masked_phone(phone: str) -> str:
    """Return the last digits of a telephone number."""
    return f"{_BULLETS} {phone[-_PHONE_DIGITS_SHOWN:]}"


def masked_email(email: str) -> str:
    """Return an address with the first letter of its owner and the domain."""
    owner, _, domain = email.partition("@")
    return f"{owner[:1]}{_BULLETS}@{domain}"
