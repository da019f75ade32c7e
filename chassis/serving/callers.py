"""Who may call an internal server: judged by the name in the caller's TLS certificate, on every request."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from chassis.problems import CONTENT_TYPE, problem
from chassis.serving.listener import DeadlineSocket
from chassis.told.trace_context import note_trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HEALTH_CALLER = "health"
"""Whoever asks a server whether it is well, and what it has counted, and nothing else: a container's check, a monitor."""

_KEY = "chassis.caller"
_SUFFIX = ".internal"
_MOST_REMEMBERED = 100
HEALTH_PATH = "/health"
METRICS_PATH = "/metrics"


class AcceptedCallers:
    """WSGI middleware that lets in only callers whose certificate names one of `names` (`gateway` → `gateway.internal`)."""

    def __init__(self, application: WSGIApplication, *, names: frozenset[str]) -> None:
        """Guard `application`."""
        self._application = application
        self._names = names

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer 403 to anybody else; note the caller's name in the environ for `caller_of`."""
        caller = next((name for name in _certificate_names(environ) if self._accepts(name, environ)), None)
        if caller is None:
            return self._refuse(start_response)
        environ[_KEY] = caller
        note_trace(environ)
        return self._application(environ, start_response)

    def _accepts(self, name: str, environ: WSGIEnvironment) -> bool:
        return name in self._names or (name == HEALTH_CALLER and _asks_for_health(environ))

    def _refuse(self, start_response: StartResponse) -> Iterable[bytes]:
        accepted = ", ".join(sorted(self._names))
        detail = f"this listener answers to {accepted} only, recognised by the internal certificate they present"
        body = json.dumps(problem(403, "caller.not_accepted", "Caller not accepted", detail)).encode()
        start_response("403 Forbidden", [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
        return [body]


def caller_of(environ: WSGIEnvironment) -> str:
    """Return the accepted caller's name; raises `LookupError` where no `AcceptedCallers` stands in front."""
    if _KEY not in environ:
        msg = "the request has not passed AcceptedCallers"
        raise LookupError(msg)
    return str(environ[_KEY])


def _asks_for_health(environ: WSGIEnvironment) -> bool:
    return environ.get("REQUEST_METHOD") == "GET" and environ.get("PATH_INFO") in {HEALTH_PATH, METRICS_PATH}


def _certificate_names(environ: WSGIEnvironment) -> Sequence[str]:
    connection = environ.get("gunicorn.socket")
    return _service_names(connection.peer_names) if isinstance(connection, DeadlineSocket) else ()


@lru_cache(maxsize=_MOST_REMEMBERED)
def _service_names(of_certificate: tuple[str, ...]) -> Sequence[str]:
    return [name.removesuffix(_SUFFIX) for name in of_certificate if name.endswith(_SUFFIX)]
