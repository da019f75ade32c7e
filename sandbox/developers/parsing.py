"""Reading what a person types about itself: addresses compared in one form, names printable and short."""

from __future__ import annotations

import unicodedata

from sandbox.developers.errors import FieldRefused
from sandbox.developers.model import LONGEST_NAME

_LONGEST_EMAIL = 254  # RFC 5321 §4.5.3.1.3, without the brackets


def parsed_email(text: str) -> str:
    """Return an address as it is written; raises `FieldRefused`. Nothing is sent there, so that its domain need not exist."""
    # Imported late: every `sandbox` command would load it, and none takes an address.
    from email_validator import EmailNotValidError, validate_email

    wanted = "Write an e-mail address, for example anna@acme.example."
    if len(text) > _LONGEST_EMAIL:
        raise FieldRefused("email", wanted)
    try:
        return validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise FieldRefused("email", wanted) from error


def email_key(email: str) -> str:
    """Return the form in which addresses are compared: no two accounts differ in capitals only."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def parsed_name(text: str, *, field: str, example: str) -> str:
    """Return a name of a person or firm, its spaces put right; raises `FieldRefused`."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise FieldRefused(field, f"Write 1 to {LONGEST_NAME} printable characters, for example {example}.")
    return name
