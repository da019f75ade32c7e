"""The smallest internal service, run by the chassis tests on a real gunicorn: says who called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from chassis.callers import AcceptedCallers, caller_of
from chassis.home import Home
from chassis.listener import InternalListener, internal_listener

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

if "ECHO_HOME" in os.environ:
    _LISTENER = InternalListener(
        name="bank", home=Home(Path(os.environ["ECHO_HOME"])), port=int(os.environ["ECHO_PORT"]), threads=4
    )
    globals().update(internal_listener(_LISTENER))


def _answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [caller_of(environ).encode()]


def application() -> WSGIApplication:
    """Let in the gateway only."""
    return AcceptedCallers(_answer, names=frozenset({"gateway"}))
