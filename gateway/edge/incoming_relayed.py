"""A TCP connection to a listener with relays in front: from their networks it begins with a PROXY protocol header."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from gateway.edge.tls.handshake import FailedHandshake
from gateway.policies.networks import client_address
from gateway.relays.preface import MalformedPreface, read_preface

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.edge.tls.handshake import Reception
    from gateway.policies.model import Listener
    from gateway.policies.networks import NetworkSet
    from gateway.relays.preface import Origin


class IncomingRelayed(asyncio.Protocol):
    """Reads the header where there has to be one, then gives way to what `go_on(client's address)` makes.

    Whoever comes from elsewhere is passed on untouched: a header of theirs is no TLS and no HTTP, and ends it there.
    """

    def __init__(
        self,
        listener: Listener,
        networks: NetworkSet,
        reception: Reception,
        go_on: Callable[[str | None], asyncio.Protocol],
        *,
        seconds: float,
    ) -> None:
        """Wait for the connection."""
        self._listener = listener
        self._networks = networks
        self._reception = reception
        self._go_on = go_on
        self._seconds = seconds
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._peer = ""
        self._data = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look where it comes from."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self._peer = (transport.get_extra_info("peername") or ("",))[0]
        if not self._is_of_relay():
            self._give_way(None, b"")
        elif not self._reception.has_room():
            transport.close()
        else:
            self._reception.handshake_began(self)
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._seconds, self._refuse, "proxy.timeout", "no PROXY protocol header in time")

    def data_received(self, data: bytes) -> None:
        """Read the header; its length is bounded by the reader."""
        if self._deadline is None:
            return
        self._data += data
        try:
            origin = read_preface(bytes(self._data))
        except MalformedPreface as error:
            self._refuse("proxy.malformed", str(error))
            return
        if origin is not None:
            self._accept(origin)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note a relay that left before it had said anything."""
        if self._deadline is not None:
            self._refuse("proxy.broken_off", str(exc) if exc else "the connection ended before the PROXY protocol header did")

    def abort(self) -> None:
        """Give up, because the worker stops."""
        self._end(None)
        if self._transport is not None:
            self._transport.abort()

    def _is_of_relay(self) -> bool:
        try:
            return client_address(self._peer) in self._networks
        except ValueError:
            return False

    def _accept(self, origin: Origin) -> None:
        self._end(None)
        address = self._peer if origin.address is None else str(client_address(origin.address))
        self._give_way(address, bytes(self._data[origin.length :]))

    def _give_way(self, address: str | None, rest: bytes) -> None:
        if self._transport is None:
            return
        protocol = self._go_on(address)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if rest:
            protocol.data_received(rest)

    def _refuse(self, reason: str, detail: str) -> None:
        self._end(FailedHandshake(listener=self._listener, address=self._peer, reason=reason, detail=detail))
        if self._transport is not None:
            self._transport.abort()

    def _end(self, failure: FailedHandshake | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            self._reception.handshake_ended(self, failure)
