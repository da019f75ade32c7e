"""What is wrong with the shape of a document that came, in the words of this server instead of the library's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_TOO_MANY: Final = re.compile(r"\w+ should have at most (\d+) items? after validation, not (?:more than )?(\d+)")
_OWN_WORDS: Final = ("is ", "has ", "holds ", "names ", "must ")
_OF_TYPE: Final = {"extra_forbidden": "is not known here: remove it", "missing": "is missing"}


def rule_of(fault: ErrorDetails) -> str:
    """Return what is wrong, to stand after the name of what it is wrong with."""
    if fault["type"] in _OF_TYPE:
        return _OF_TYPE[fault["type"]]
    message = fault["msg"].removeprefix("Value error, ")
    too_many = _TOO_MANY.fullmatch(message)
    if too_many is not None:
        return f"has more than the {too_many[1]} entries that are taken"
    for library, own in (("Input should be ", "must be "), ("String should ", "must "), ("should have ", "must have ")):
        message = message.replace(library, own)
    return message if message.startswith(_OWN_WORDS) else f"is wrong: {message[:1].lower()}{message[1:]}"
