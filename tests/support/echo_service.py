"""The smallest internal service, run by the chassis tests on a real gunicorn: says who called."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from chassis.home import Home
from chassis.serving import handshakes
from chassis.serving.callers import AcceptedCallers, caller_of
from chassis.serving.listener import InternalListener, internal_listener

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# Short, yet longer than a machine stands still at a time.
HANDSHAKE_SECONDS = 4.0
BUSY_SECONDS = 5.0
# More than two sockets hold between them.
LARGE = b"x" * 12_000_000

if "ECHO_HOME" in os.environ:
    handshakes.HANDSHAKE_SECONDS = HANDSHAKE_SECONDS  # type: ignore[misc]  # so that a test needn't wait as long
    _LISTENER = InternalListener(
        name="bank", home=Home(Path(os.environ["ECHO_HOME"])), port=int(os.environ["ECHO_PORT"]), threads=4
    )
    globals().update(internal_listener(_LISTENER))


def _answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/busy":
        time.sleep(BUSY_SECONDS)
    if environ["PATH_INFO"] == "/broken":
        return _breaking_off(start_response)
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/large":
        return [LARGE]
    return [caller_of(environ).encode()]


def _breaking_off(start_response: StartResponse) -> Iterable[bytes]:
    """Fail behind the beginning of an answer."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "100")])
    yield b"begun"
    raise RuntimeError("the answer breaks off")


def application() -> WSGIApplication:
    """Let in the gateway only."""
    return AcceptedCallers(_answer, names=frozenset({"gateway"}))
