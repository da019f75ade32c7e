"""JSON as it comes from outside: parsed once, and refused where two readers could take it differently (RFC 8259 §4, §9)."""

from __future__ import annotations

import json
from typing import Final, NoReturn

import orjson

from bank_backend.characters import require_no_nul
from bank_backend.errors import FormatError

_MOST_DEPTH: Final = 16
_TOO_DEEP: Final = f"the body is nested deeper than {_MOST_DEPTH} levels: no message of this interface is"


def parse_json(data: bytes) -> object:
    """Return the document; raises `FormatError` for what is no JSON, names a member twice, or is nested too deep."""
    if not data.strip():
        raise FormatError("the body is empty: send JSON, and say so with Content-Type: application/json")
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        _refuse(error)
    _require_shallow(document, _MOST_DEPTH)
    _require_distinct_members(data)
    require_no_nul(data, document)
    return document


def _refuse(error: orjson.JSONDecodeError) -> NoReturn:
    if "recursion" in error.msg.lower():
        raise FormatError(_TOO_DEEP) from None
    raise FormatError(f"the body is no JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None


def _require_shallow(document: object, levels: int) -> None:
    parts = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    if parts and not levels:
        raise FormatError(_TOO_DEEP)
    for part in parts:
        if isinstance(part, dict | list):
            _require_shallow(part, levels - 1)


def _require_distinct_members(data: bytes) -> None:
    # orjson takes the last of two members silently; whoever signed or logged the body may have read the first.
    _DISTINCT.decode(data.decode())


def _distinct(members: list[tuple[str, object]]) -> None:
    # Each name is looked up once: counting it among all of them would take minutes for a body of many members.
    seen: set[str] = set()
    for name, _ in members:
        if name in seen:
            raise FormatError(f"{name[:40]} is there twice in one object: send it once", path=name[:40])
        seen.add(name)


# Made once: json.loads makes one a call.
_DISTINCT: Final = json.JSONDecoder(object_pairs_hook=_distinct)
