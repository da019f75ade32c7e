"""Refuses NUL in whatever a request says: PostgreSQL keeps no text with one, so none can be asked for or written."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from flask import request

from bank_backend.errors import FormatError

if TYPE_CHECKING:
    from flask import Flask

NUL: Final = "\0"
_REFUSAL: Final = "holds a NUL character, which no text here may: send it without"


def refuse_nul(app: Flask) -> None:
    """Make `app` look through address, query and form before anything else reads them; JSON: `require_no_nul`."""
    app.before_request(_look_through)


def require_no_nul(data: bytes, document: object) -> None:
    """Raise `FormatError` for parsed JSON with a NUL in one of its texts or names; `data` is what it was parsed from."""
    # Written out, it can only stand there escaped: most bodies need no second look.
    if rb"\u0000" in data and _holds_nul(document):
        raise FormatError(f"the body {_REFUSAL}")


def _look_through() -> None:
    if NUL in request.path:
        raise FormatError(f"the address {_REFUSAL}")
    # A call that only reads has neither, and need not be looked through for them.
    query = request.args.items(multi=True) if request.query_string else ()
    form = request.form.items(multi=True) if request.content_type else ()
    for name, value in chain(query, form):
        if NUL in name or NUL in value:
            path = name.replace(NUL, "")
            raise FormatError(f"{path} {_REFUSAL}", path=path)


def _holds_nul(document: object) -> bool:
    if isinstance(document, str):
        return NUL in document
    if isinstance(document, dict):
        return any(_holds_nul(part) for item in document.items() for part in item)
    return isinstance(document, list) and any(map(_holds_nul, document))
