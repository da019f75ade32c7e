"""The straight way: forms answered before Flask is asked, and what goes on to Flask after all."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.exceptions import ClientDisconnected

from gateway.oauth.straight_way import StraightWay, raise_what_was_raised
from tests.support.authorization import CLIENT, qwac

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from tests.support.authorization import AuthorizationWorld

MOST_BYTES = 100
FORM = b"a=1&b=2"
CLIENT_TOKEN = {"grant_type": "client_credentials", "client_id": CLIENT}


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
    way = StraightWay(behind, {"/echo": echo, "/fail": fail}, most_bytes=MOST_BYTES)
    posted = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/echo",
        "CONTENT_LENGTH": str(len(FORM)),
        "wsgi.input": BytesIO(FORM + b"the next request"),
    }
    body = b"".join(way(posted | environ, lambda status, headers: told.append((status, dict(headers)))))  # type: ignore[arg-type]
    ((status, headers),) = told
    return status, headers, body


def test_a_form_is_answered_in_json_that_nobody_keeps() -> None:
    """RFC 6749 §5.1; no byte of the connection's next request is read."""
    behind = Behind()

    status, headers, body = answered(behind)

    assert (status, body) == ("201 Created", b'{"read": "a=1&b=2"}')
    no_store = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    assert headers == {"Content-Type": "application/json", "Content-Length": str(len(body)), **no_store}
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


def test_flask_has_the_same_endpoints(world: AuthorizationWorld) -> None:
    """A body that is coded for its transfer goes that way, and has the same answer."""
    straight = world.edge("/token", qwac(), data=CLIENT_TOKEN)
    by_flask = world.edge("/token", qwac(), data=CLIENT_TOKEN, headers={"Transfer-Encoding": "identity"})

    assert (straight.status_code, by_flask.status_code) == (200, 200)
    assert straight.headers == by_flask.headers
    assert straight.get_json().keys() == by_flask.get_json().keys()


def test_a_refusal_on_the_straight_way_is_told_as_any_other(world: AuthorizationWorld) -> None:
    answer = world.edge("/token", qwac(), data=CLIENT_TOKEN | {"client_id": "nobody"})

    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert "X-Sandbox-Refusal" in answer.headers


def test_a_body_larger_than_is_read_is_refused(world: AuthorizationWorld) -> None:
    answer = world.edge("/token", qwac(), data=CLIENT_TOKEN | {"scope": "x" * 65_536})

    assert answer.status_code == 413


def test_who_does_not_come_by_the_edge_is_given_nothing(world: AuthorizationWorld) -> None:
    """The straight way asks for the listener and the caller itself."""
    by_front = world.edge("/token", qwac(), data=CLIENT_TOKEN, headers={"X-Sandbox-Listener": "front"})
    by_another = world.edge("/token", qwac(), data=CLIENT_TOKEN, caller="portal")

    assert (by_front.status_code, by_another.status_code) == (404, 404)
