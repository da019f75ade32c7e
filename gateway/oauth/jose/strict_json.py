"""Reads a JSON object that somebody else wrote, without the choices that two readers could make differently (RFC 8725 §2.4)."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class NotAnObject(ValueError):
    """A text that is no JSON object; the message says why."""


def read_object(text: bytes | str) -> dict[str, Any]:
    """Return the object; raises `NotAnObject` for other values, members that come twice, NaN, and endless nesting."""
    try:
        value = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
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


def _no_number(_name: str) -> NoReturn:
    raise NotAnObject("holds a number that JSON has not")
