"""Refuses NUL in a query: PostgreSQL keeps no text with one. The edge refuses it in paths, forms judge it field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

from sandbox.portal.bodies import BodyRefused

if TYPE_CHECKING:
    from flask import Flask

_NUL: Final = "\0"
_REFUSAL: Final = "holds a NUL character, which no text here may: send it without"
_LONGEST_NAME: Final = 40


def refuse_nul(app: Flask) -> None:
    """Make `app` look through the query before a page reads it."""
    app.before_request(_look_through)


def _look_through() -> None:
    for name, value in request.args.items(multi=True):
        if _NUL in name or _NUL in value:
            raise BodyRefused(f"{name.replace(_NUL, '')[:_LONGEST_NAME]} {_REFUSAL}")
