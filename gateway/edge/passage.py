"""The straight way of a request that is here whole: asked over an idle connection, answered once the reply is, too.

No task, no future: what arrives is passed on from the callback that brings it. Whatever else happens (no idle connection,
a long reply, a fault, a client that leaves) `Forwarding` takes over where this has come to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.edge.client import SwiftClient
    from gateway.edge.forwarding import Forwarding
    from gateway.edge.upstream.connection import UpstreamConnection

    Work = Coroutine[object, object, None]


class Passage:
    """One admitted request on its straight way. `carried` makes of the rest what the face has to run."""

    __slots__ = ("_carried", "_client", "_connection", "_forwarding", "_request")

    def __init__(self, forwarding: Forwarding, client: SwiftClient, carried: Callable[[Work], Work]) -> None:
        """Begin nothing yet."""
        self._forwarding = forwarding
        self._client = client
        self._carried = carried
        self._connection: UpstreamConnection | None = None
        self._request = b""

    def begin(self) -> bool:
        """Ask the server, if a connection is idle and nothing has to be waited for; False leaves all to `Forwarding`."""
        forwarding = self._forwarding
        if not forwarding.is_plain:
            return False
        connection = self._connection = forwarding.pool.idle_connection()
        if connection is None:
            return False
        self._request = forwarding.plain_request(self._client.arrived())
        forwarding.ask(connection, self._request)
        connection.on_arrival = self._arrived
        return True

    def hand_over(self) -> None:
        """Let `Forwarding` go on; also where the client has left, whose exchange then ends like any other."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.on_arrival = None
            self._client.go_on(self._carried(self._forwarding.go_on(connection, self._request)))

    def _arrived(self) -> None:
        connection, forwarding = self._connection, self._forwarding
        if connection is None:
            return
        if not forwarding.can_answer_at_once(connection):
            # Servers write a head and its body one after the other; the deadlines of the connection hold meanwhile.
            if not connection.is_about_to_end:
                self.hand_over()
            return
        self._connection = connection.on_arrival = None
        try:
            forwarding.answer_at_once(connection)
        except Exception as error:  # noqa: BLE001 - as on the other way: the exchange ends with it, whatever it is
            self._client.go_on(self._carried(_raised(error)))
        else:
            self._finish()

    def _finish(self) -> None:
        if self._client.is_full:
            self._client.go_on(self._carried(self._forwarding.until_taken()))
        else:
            self._client.finished()


async def _raised(error: Exception) -> None:
    raise error
