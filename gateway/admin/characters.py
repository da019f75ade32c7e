"""Refuses NUL in paths, queries and JSON bodies: PostgreSQL has no text with it, and nothing that is named here needs one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import request
from werkzeug.exceptions import BadRequest, NotFound

if TYPE_CHECKING:
    from flask import Flask

_NUL: Final = "\0"
# Escaped, as JSON has to write it; behind a backslash that is itself escaped it is six ordinary characters.
_ESCAPED: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def refuse_nul(app: Flask) -> None:
    """Look through every request before it is handled."""
    app.before_request(_look_through)


def _look_through() -> None:
    if _NUL in request.path:
        raise NotFound("nothing is named with a NUL character")
    if any(_NUL in text for item in request.args.items(multi=True) for text in item):
        raise BadRequest("the query holds a NUL character: leave it out")
    if request.is_json and _ESCAPED.search(request.get_data()):
        raise BadRequest("the body holds a NUL character (\\u0000): leave it out")
