"""Health of the servers that answer to the gateway alone, asked on behalf of the portal (docs/architecture.md §3.4).

The authorization server lets nobody else in. Passing on whether it is well opens no more of it than that.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from flask import Blueprint, Response, jsonify

from chassis.peers import PeerUnavailable
from gateway.admin.operations import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chassis.peers import PeerAnswer

_SECONDS: Final = 2.0
_MOST_CHARACTERS: Final = 300


class Neighbour(Protocol):
    """A server beside this one."""

    @property
    def name(self) -> str:
        """Its service name."""

    def health(self, *, timeout: float) -> PeerAnswer:
        """Return what its `/health` answers; raises `PeerUnavailable`."""


def servers_blueprint(neighbours: Sequence[Neighbour]) -> Blueprint:
    """Return the resource."""
    api = Blueprint("servers", __name__)

    @api.get("/servers")
    @operation("Ask the servers that answer to the gateway alone whether they are well")
    def get_servers() -> Response:
        return jsonify({"servers": [_health(neighbour) for neighbour in neighbours]})

    return api


def _health(neighbour: Neighbour) -> dict[str, object]:
    began = time.monotonic()
    try:
        answer = neighbour.health(timeout=_SECONDS)
        complaint = None if answer.status_code == HTTPStatus.OK else f"/health answered {answer.status_code}"
    except PeerUnavailable as error:
        complaint = error.detail[:_MOST_CHARACTERS]
    milliseconds = round((time.monotonic() - began) * 1000, 1)
    return {"name": neighbour.name, "healthy": complaint is None, "complaint": complaint, "milliseconds": milliseconds}
