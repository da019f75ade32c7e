"""Reads a JSON object that somebody else wrote, without the choices that two readers could make differently (RFC 8725 §2.4)."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

_MOST_DIGITS: Final = 16
_MOST: Final = 2**53 - 1


class NotAnObject(ValueError):
    """A text that is no JSON object; the message says why."""


def read_object(text: bytes | str) -> dict[str, Any]:
    r"""Return the object; raises `NotAnObject` for other values, members that come twice, NaN, and endless nesting.

    Also for half a character (`\ud800`): nobody can write such a text down again, not to hash it, nor to look for it.
    """
    try:
        # Decoded here: `json` would guess UTF-16 and UTF-32 too, where another reader sees no JSON at all (RFC 8259 §8.1).
        plain = text if isinstance(text, str) else text.decode("utf-8")
        value = json.loads(plain, object_pairs_hook=_once_each, parse_constant=_no_number, parse_int=_whole_number)
        if "\\u" in plain:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        raise NotAnObject("is nested too deeply") from error
    except NotAnObject:
        raise
    except ValueError as error:
        raise NotAnObject("is not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise NotAnObject("is JSON, but no object")
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise NotAnObject("names a member twice")
    return members


def _whole_number(digits: str) -> int:
    # Beyond, one reader rounds, another takes it exactly, a third refuses (RFC 7493 §2.2).
    if len(digits.removeprefix("-")) > _MOST_DIGITS or abs(number := int(digits)) > _MOST:
        raise NotAnObject("holds a whole number beyond 2^53 - 1")
    return number


def _no_number(_name: str) -> NoReturn:
    raise NotAnObject("holds a number that JSON has not")
