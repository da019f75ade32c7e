"""The straight way of what is posted: answered in JSON before Flask is asked.

Flask's half of such a request is its routing, contexts and objects. What is refused, fails or comes in an unusual shape
goes on to Flask, where the same endpoints stand, and where all refusals are rendered.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from werkzeug.exceptions import ClientDisconnected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    Answer = tuple[HTTPStatus, Mapping[str, object]]
    PostedEndpoint = Callable[[WSGIEnvironment, Callable[[], bytes]], Answer]
    """Answers a request whose body is read when it is called for; raises what Flask renders."""

JSON: Final = "application/json"
_RAISED: Final = "chassis.serving.straight_way.raised"
_STATUS_LINES: Final = {status: f"{status.value} {status.phrase}" for status in HTTPStatus}


class StraightWay:
    """WSGI middleware that answers what is posted to `endpoints`, by path, and leaves everything else to `application`."""

    def __init__(
        self,
        application: WSGIApplication,
        endpoints: Mapping[str, PostedEndpoint],
        *,
        most_bytes: int,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take bodies of `most_bytes` at most; every answer has these `headers`."""
        self._headers = tuple((headers or {}).items())
        self._application = application
        self._endpoints = endpoints
        self._most_bytes = most_bytes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or hand on: with what was raised, since the body can't be read a second time."""
        endpoint = self._endpoints.get(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        length = self._length(environ)
        if endpoint is None or length is None:
            return self._application(environ, start_response)
        try:
            status, document = endpoint(environ, lambda: _body(environ, length))
        except Exception as raised:  # noqa: BLE001 - raised once more by `raise_what_was_raised`, in Flask
            environ[_RAISED] = raised
            return self._application(environ, start_response)
        body = json.dumps(document).encode()
        headers = [("Content-Type", JSON), ("Content-Length", str(len(body))), *self._headers]
        start_response(_STATUS_LINES[status], headers)
        return [body]

    def _length(self, environ: WSGIEnvironment) -> int | None:
        """Return how long the body is, None where it is not said or too long: Flask knows what to do about that."""
        said = environ.get("CONTENT_LENGTH") or ""
        if not (said.isascii() and said.isdigit()) or len(said) > len(str(self._most_bytes)):
            return None
        length = int(said)
        return length if length <= self._most_bytes and "HTTP_TRANSFER_ENCODING" not in environ else None


def raise_what_was_raised(environ: WSGIEnvironment) -> None:
    """Raise what ended the straight way, if it was gone: the request has been judged, and its body read."""
    raised = environ.pop(_RAISED, None)
    if raised is not None:
        raise raised


def _body(environ: WSGIEnvironment, length: int) -> bytes:
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except OSError as error:  # as werkzeug's own streams say it
        raise ClientDisconnected from error
    if len(body) != length:
        raise ClientDisconnected
    return body
