"""Notes who changes something: the caller by its certificate, and for whom it says that it acts (`X-Sandbox-Actor`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import g, request
from werkzeug.exceptions import BadRequest

from chassis.serving.callers import caller_of
from gateway.admin_audit.actor import Actor, acting

if TYPE_CHECKING:
    from flask import Flask

HEADER: Final = "X-Sandbox-Actor"
_MOST_CHARACTERS: Final = 140
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def note_actors(app: Flask) -> None:
    """Let every change of this application be recorded with its caller; one whose caller is not known fails."""

    @app.before_request
    def begin() -> None:
        if request.method not in SAFE_METHODS:
            g.acting = acting(Actor(caller_of(request.environ), _on_behalf_of()))
            g.acting.__enter__()

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        started = g.pop("acting", None)
        if started is not None:
            started.__exit__(None, None, None)


def _on_behalf_of() -> str | None:
    value = request.headers.get(HEADER)
    if value is None:
        return None
    if not 0 < len(value) <= _MOST_CHARACTERS or not value.isascii() or not value.isprintable():
        raise BadRequest(f"{HEADER}: write who you act for in 1 to {_MOST_CHARACTERS} printable ASCII characters")
    return value
