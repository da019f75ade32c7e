"""The client's side of an exchange, as the core sees it: whatever face (HTTP/1.1, HTTP/2) speaks with the client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chassis.told.trace_context import TraceParent
from gateway.admission.request import Request
from gateway.edge.answer_fields import NO_FIELDS

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.admission.request import Connection
    from gateway.edge.answer_fields import AnswerFields
    from gateway.edge.client_head import ClientHead


class ClientGone(Exception):
    """The client's connection ended before the exchange did; `reason` names a ground where it was our doing."""

    def __init__(self, reason: str | None = None) -> None:
        """Note why, where it is known."""
        super().__init__(reason or "the client has left")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request as it arrived, its head sorted out."""

    connection: Connection
    method: str
    path: bytes
    query: bytes
    head: ClientHead

    def request(self, request_id: str) -> Request:
        """Return what is judged of it."""
        head = self.head
        return Request(
            connection=self.connection,
            id=request_id,
            method=self.method,
            path=self.path.decode("latin-1"),
            query=self.query,
            host=(head.host or b"").decode("latin-1"),
            authorization=head.authorization,
            tpp_request_id=head.request_id,
            claims=head.claims,
            lines=head.lines,
            trace=TraceParent.read(head.traceparent.decode("latin-1")) if head.traceparent is not None else None,
        )


class Client(Protocol):
    """One exchange with a client."""

    @property
    def body_has_ended(self) -> bool:
        """Whether `read` has returned the last piece."""

    @property
    def broken_by(self) -> str | None:
        """The ground on which we ended the connection ourselves, if we did."""

    async def read(self) -> bytes:
        """Return the next piece of the body, empty at its end; raises `ClientGone`, `Refusal` where it comes too slowly."""

    def start(self, status: int, headers: list[tuple[bytes, bytes]], same: AnswerFields = NO_FIELDS) -> None:
        """Begin the answer, with `headers` of its own and those that are the `same` as others'."""

    def write(self, data: bytes, *, last: bool) -> None:
        """Send a piece of the answer's body; `drain` before the next."""

    async def drain(self) -> None:
        """Wait while the client takes nothing; raises `ClientGone`."""

    def abort(self) -> None:
        """Break the connection off: the answer that was begun has no end."""


class SwiftClient(Client, Protocol):
    """A client that can also be answered at once, from within a callback (`Edge.serve_at_once`)."""

    def arrived(self) -> bytes:
        """Return what has arrived of the body since the last piece."""

    @property
    def is_full(self) -> bool:
        """Whether the client takes nothing at the moment, or is gone."""

    def finished(self) -> None:
        """Know that the exchange is over: its answer is written and its record made."""

    def go_on(self, work: Coroutine[object, object, None]) -> None:
        """Run what is left of the exchange, which is over when `work` is."""
