"""Reading JSON bodies of the registration API: objects only, known fields only."""

from __future__ import annotations

from typing import Any

import orjson
from flask import request


class BodyRefused(ValueError):
    """A body that is no JSON object, or holds what is not expected."""

    code = "body.invalid"


def json_object(*, fields: frozenset[str] | None = None) -> dict[str, Any]:
    """Return the body; raises `BodyRefused`.

    Only `application/json` is read: no form of another site can send that without asking first (CORS preflight).
    """
    if request.mimetype != "application/json":
        raise BodyRefused("send the body as Content-Type: application/json")
    try:
        document = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise BodyRefused(f"the body is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise BodyRefused("the body must be a JSON object")
    if fields is not None and (unknown := sorted(document.keys() - fields)):
        raise BodyRefused(f"unknown field {unknown[0]!r}: {', '.join(sorted(fields))} are known")
    return document


def text_field(document: dict[str, Any], name: str) -> str | None:
    """Return a text of the body, None where it is absent; raises `BodyRefused`."""
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise BodyRefused(f"{name} must be a text")
    return value
