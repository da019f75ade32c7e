"""What a worker and its clients' connections know of each other, and what a connection says of its client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.admission.request import Connection, Leaf, TlsFacts
from gateway.edge.deadlines import Timed
from gateway.edge.tls.handshake import EdgeSslObject

if TYPE_CHECKING:
    import asyncio

    from gateway.edge.client_head import HeadReader
    from gateway.edge.core import Edge
    from gateway.policies.model import Listener


class Host(Protocol):
    """The worker, as its connections see it."""

    @property
    def edge(self) -> Edge:
        """The core."""

    @property
    def heads(self) -> HeadReader:
        """The reader of heads, shared by all connections."""

    @property
    def is_stopping(self) -> bool:
        """Whether no connection should go on after its present answer."""

    def has_room(self) -> bool:
        """Whether one more connection may be served."""

    def connected(self, connection: ClientProtocol) -> None:
        """Count a connection."""

    def disconnected(self, connection: ClientProtocol) -> None:
        """Count it no more."""


class ClientProtocol(Timed, Protocol):
    """A client's connection as the worker sees it, whichever version of HTTP it speaks."""

    connection: Connection | None
    is_closing: bool

    @property
    def is_idle(self) -> bool:
        """Whether no request is being served."""

    def close(self) -> None:
        """Close, once all that was written has gone out."""

    def abort(self) -> None:
        """Break off at once."""

    def doom(self, *, grace_seconds: float) -> None:
        """Let the next request have its refusal, then close; what still runs after the grace is broken off."""


def client_connection(transport: asyncio.Transport, listener: Listener, told_address: str | None) -> Connection:
    """Return who is there, as far as the connection says, and a relay before it."""
    peer = (transport.get_extra_info("peername") or ("",))[0]
    address, told_by = (peer, None) if told_address is None else (told_address, peer)
    secured = transport.get_extra_info("ssl_object")
    if not isinstance(secured, EdgeSslObject):
        return Connection(listener=listener, address=address, told_by=told_by, tls=None, leaf=None)
    der = secured.getpeercert(binary_form=True)
    cipher = secured.cipher()
    tls = TlsFacts(
        version=secured.version() or "",
        cipher=cipher[0] if cipher else "",
        resumed=bool(secured.session_reused),
        server_name=secured.server_name,
    )
    return Connection(listener=listener, address=address, told_by=told_by, tls=tls, leaf=Leaf(der) if der else None)
