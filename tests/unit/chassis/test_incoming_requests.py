"""What an internal server's caller may say of itself, and that gunicorn's settings are followed."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.http.wsgi import create

from chassis.serving.incoming_requests import IncomingParser, IncomingRequest, plain_settings

if TYPE_CHECKING:
    from types import SimpleNamespace

AT_HOME = ("127.0.0.1", 50_000)


def settings_of_a_server() -> SimpleNamespace:
    config = Config()
    for name, value in {
        "certfile": "server.crt",
        "keyfile": "server.key",
        "limit_request_line": 100,
        "limit_request_fields": 5,
    }.items():
        config.set(name, value)
    return plain_settings(config)


def read(*lines: str) -> IncomingRequest:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall("\r\n".join((*lines, "", "")).encode("latin-1"))
        request: IncomingRequest = next(IncomingParser(settings_of_a_server(), ours, AT_HOME))
        return request


@pytest.mark.parametrize("field", ["X-Forwarded-Proto: http", "X-Forwarded-Protocol: plain", "X-Forwarded-Ssl: off"])
def test_nobody_talks_the_scheme_down(field: str) -> None:
    """Not even from this machine: TLS ends here."""
    assert read("GET /token HTTP/1.1", field).scheme == "https"


@pytest.mark.parametrize("field", ["SCRIPT_NAME: /token", "PATH_INFO: /token", "REMOTE_USER: admin"])
def test_nobody_writes_into_the_environment(field: str) -> None:
    """A field with an underscore would stand for another one there: it is dropped, whoever sends it."""
    assert read("GET / HTTP/1.1", field, "X-Other: 1").headers == [("X-OTHER", "1")]


def test_gunicorns_limits_hold() -> None:
    """The plain values are those that were set."""
    with pytest.raises(LimitRequestLine):
        read(f"GET /{'x' * 100} HTTP/1.1")
    with pytest.raises(LimitRequestHeaders):
        read("GET / HTTP/1.1", *[f"X-{number}: 1" for number in range(6)])


def test_gunicorn_makes_an_environment_of_it() -> None:
    """With the plain settings in the place of its own."""
    request = read("POST /token?a=1 HTTP/1.1", "Host: localhost", "Content-Length: 0")

    _, environ = create(request, None, AT_HOME, ("127.0.0.1", 8442), settings_of_a_server())

    told = {name: environ[name] for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "wsgi.url_scheme", "SCRIPT_NAME")}
    assert told == {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/token",
        "QUERY_STRING": "a=1",
        "wsgi.url_scheme": "https",
        "SCRIPT_NAME": "",
    }
