"""`?dry_run=true`: a change goes the way of the real one and is undone. What can't be tried says so and does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, request
from werkzeug.exceptions import BadRequest

from gateway.admin.actors import SAFE_METHODS
from gateway.admin.configuration_bodies import ChangeQuery
from gateway.admin.operations import query_of
from gateway.changes.rehearsal import rehearsing

if TYPE_CHECKING:
    from flask import Flask


def take_dry_runs(app: Flask) -> None:
    """Let every change of this application that takes a `ChangeQuery` be tried; refuse to try the others."""

    @app.before_request
    def begin() -> None:
        if request.method in SAFE_METHODS or request.endpoint is None:
            return
        if any(len(values) > 1 for values in request.args.listvalues()):
            # Of `dry_run=false&dry_run=true` nobody knows which is meant.
            raise BadRequest("a parameter stands in the query twice, and nothing was done: write each once")
        if query_of(app.view_functions[request.endpoint]) is not ChangeQuery:
            if "dry_run" in request.args:
                raise BadRequest("this change can't be tried, and nothing was done: leave dry_run out to make it")
        elif ChangeQuery.model_validate(request.args.to_dict()).dry_run:
            g.rehearsing = rehearsing()
            g.rehearsing.__enter__()

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        started = g.pop("rehearsing", None)
        if started is not None:
            started.__exit__(None, None, None)
