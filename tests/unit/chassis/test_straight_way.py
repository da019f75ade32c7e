"""The straight way: what is answered before Flask is asked, and what goes on to Flask after all."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.exceptions import ClientDisconnected

from chassis.serving.straight_way import StraightWay, raise_what_was_raised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

MOST_BYTES = 100
HEADERS = {"Cache-Control": "no-store"}
FORM = b"a=1&b=2"


class Fault(Exception):
    """What an endpoint may raise."""


class Behind:
    """The application behind the straight way: keeps what came, and what it would raise."""

    def __init__(self) -> None:
        self.came: list[WSGIEnvironment] = []
        self.raised: list[Exception] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.came.append(environ)
        try:
            raise_what_was_raised(environ)
        except Exception as raised:  # noqa: BLE001 - whatever it is
            self.raised.append(raised)
        start_response("299 Behind", [])
        return [b"behind"]


def echo(_environ: WSGIEnvironment, read: Callable[[], bytes]) -> tuple[HTTPStatus, Mapping[str, object]]:
    return HTTPStatus.CREATED, {"read": read().decode()}


def fail(_environ: WSGIEnvironment, read: Callable[[], bytes]) -> tuple[HTTPStatus, Mapping[str, object]]:
    raise Fault(read())


def answered(behind: Behind, **environ: Any) -> tuple[str, dict[str, str], bytes]:
    told: list[tuple[str, dict[str, str]]] = []
    way = StraightWay(behind, {"/echo": echo, "/fail": fail}, most_bytes=MOST_BYTES, headers=HEADERS)
    posted = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/echo",
        "CONTENT_LENGTH": str(len(FORM)),
        "wsgi.input": BytesIO(FORM + b"the next request"),
    }
    body = b"".join(way(posted | environ, lambda status, headers: told.append((status, dict(headers)))))  # type: ignore[arg-type]
    ((status, headers),) = told
    return status, headers, body


def test_what_is_posted_is_answered_in_json() -> None:
    """No byte of the connection's next request is read."""
    behind = Behind()

    status, headers, body = answered(behind)

    assert (status, body) == ("201 Created", b'{"read": "a=1&b=2"}')
    assert headers == {"Content-Type": "application/json", "Content-Length": str(len(body)), **HEADERS}
    assert not behind.came


@pytest.mark.parametrize(
    "unusual",
    [
        {"PATH_INFO": "/echo/"},
        {"REQUEST_METHOD": "GET"},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "+7"},
        {"CONTENT_LENGTH": "\u0667"},
        {"CONTENT_LENGTH": str(MOST_BYTES + 1)},
        {"CONTENT_LENGTH": "9" * 5_000},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
    ],
)
def test_what_is_unusual_goes_on_unread(unusual: dict[str, str]) -> None:
    behind = Behind()

    assert answered(behind, **unusual)[0] == "299 Behind"

    (environ,) = behind.came
    assert environ["wsgi.input"].tell() == 0
    assert not behind.raised


def test_what_an_endpoint_raises_is_raised_where_it_is_rendered() -> None:
    behind = Behind()

    assert answered(behind, PATH_INFO="/fail")[2] == b"behind"

    (raised,) = behind.raised
    assert isinstance(raised, Fault)


def test_a_body_that_ends_too_early_is_nobodys_form() -> None:
    """Half a form may say another thing than the whole."""
    behind = Behind()

    answered(behind, **{"wsgi.input": BytesIO(FORM[:-1])})

    (raised,) = behind.raised
    assert isinstance(raised, ClientDisconnected)


def test_a_body_that_can_not_be_read_is_no_fault_of_ours() -> None:
    """A caller that is gone, or sends nothing for too long: what werkzeug makes of it where Flask reads."""

    class Gone(BytesIO):
        def read(self, _: int | None = None) -> bytes:
            raise TimeoutError

    behind = Behind()

    answered(behind, **{"wsgi.input": Gone()})

    (raised,) = behind.raised
    assert isinstance(raised, ClientDisconnected)
