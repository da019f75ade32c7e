"""A public TCP connection until its TLS handshake is done: timed, counted, and its failure told with OpenSSL's reason."""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from gateway.upstreams.tls_object import DirectSslObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.policies.model import Listener

# Also how long a client that was sent away may go on sending into nothing.
_SHUTDOWN_SECONDS = 5.0
_PLAIN_HTTP_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 58\r\nConnection: close\r\n\r\n"
    b"This address speaks TLS: write https:// instead of http://"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedHandshake:
    """A connection that never came to speak HTTP. `reason` is `tls.…`, `detail` OpenSSL's or the system's own words.

    `server_name` is the client's SNI, as far as the handshake came to it.
    """

    listener: Listener
    address: str
    reason: str
    detail: str
    server_name: str | None = None


class Incoming(Protocol):
    """A connection that does not speak HTTP yet."""

    def abort(self) -> None:
        """Give up, because the worker stops."""


class Reception(Protocol):
    """The worker, as a new connection sees it."""

    def has_room(self) -> bool:
        """Whether one more connection may be served."""

    def handshake_began(self, incoming: Incoming) -> None:
        """Count a connection that is shaking hands."""

    def handshake_ended(self, incoming: Incoming, failure: FailedHandshake | None) -> None:
        """Count it no more; note the failure."""


class EdgeSslObject(DirectSslObject):
    """One connection's TLS. Knows the name that the client asked for, and sends the alert of a failed handshake."""

    server_name: str | None = None
    send_alert: Callable[[bytes, ssl.SSLError], None] | None = None
    outgoing: ssl.MemoryBIO | None = None

    def do_handshake(self) -> None:
        """Go on with the handshake; raises what OpenSSL raises."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            # uvloop closes the connection without looking whether OpenSSL had an alert to send.
            if self.send_alert is not None and self.outgoing is not None:
                self.send_alert(self.outgoing.read(), error)
            raise

    def getpeercert(self, binary_form: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - the library's signature
        """Return the certificate in DER; as a dictionary, which event loops ask for, it is nothing that we would use."""
        return super().getpeercert(binary_form=True) if binary_form else {}


def note_server_name(connection: object, name: str | None, _context: ssl.SSLContext) -> None:
    """Remember the client's SNI, for `SSLContext.sni_callback`."""
    if isinstance(connection, EdgeSslObject):
        connection.server_name = name


class _OneHandshake:
    """Stands in for the listener's context with one connection, to know which connection a TLS object belongs to."""

    def __init__(self, context: ssl.SSLContext, send_alert: Callable[[bytes, ssl.SSLError], None], early: bytearray) -> None:
        self._context = context
        self._send_alert = send_alert
        self._early = early
        self.connection: ssl.SSLObject | None = None

    @property
    def server_name(self) -> str | None:
        """The name that the client asked for, once it is known."""
        return getattr(self.connection, "server_name", None)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Event loops ask whether this is an `SSLContext`; of one they use no more than `wrap_bio`."""
        return ssl.SSLContext

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, **options: Any) -> ssl.SSLObject:  # noqa: ANN401
        """Make the connection's TLS object."""
        connection = self.connection = self._context.wrap_bio(incoming, outgoing, **options)
        if isinstance(connection, EdgeSslObject):
            connection.outgoing, connection.send_alert = outgoing, self._send_alert
        incoming.write(self._early)
        return connection


class IncomingTls(asyncio.Protocol):
    """A connection that shakes hands; when it has, `speak(what ALPN chose)` makes the protocol that takes it over."""

    def __init__(
        self,
        listener: Listener,
        context: ssl.SSLContext,
        reception: Reception,
        speak: Callable[[str | None], asyncio.Protocol],
        *,
        handshake_seconds: float,
        told_address: str | None = None,
    ) -> None:
        """Wait for the connection, which is `told_address`'s where a relay has said so."""
        self._listener = listener
        self._context = context
        self._reception = reception
        self._speak = speak
        self._seconds = handshake_seconds
        self._task: asyncio.Task[None] | None = None
        self._address = told_address or ""
        self._descriptor = -1
        self._early = bytearray()
        self._handshake: _OneHandshake | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, where there is room."""
        if not self._reception.has_room():
            transport.close()
            return
        self._address = self._address or (transport.get_extra_info("peername") or ("",))[0]
        self._descriptor = transport.get_extra_info("socket").fileno()
        self._reception.handshake_began(self)
        self._task = asyncio.get_running_loop().create_task(self._shake_hands(cast("asyncio.Transport", transport)))

    def data_received(self, data: bytes) -> None:
        """Keep what comes before `start_tls` has taken over: event loops read on at once, and it may be the ClientHello."""
        self._early += data

    def abort(self) -> None:
        """Give up, because the worker stops."""
        if self._task is not None:
            self._task.cancel()

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        failure: FailedHandshake | None = None
        try:
            await self._hand_over(transport)
        except ssl.SSLError as error:
            failure = self._failed(f"tls.{(error.reason or 'error').lower()}", str(error))
        except ConnectionAbortedError as error:
            failure = self._failed("tls.timeout", str(error))
        except (OSError, RuntimeError) as error:  # RuntimeError: uvloop's word for a connection that is closed already
            failure = self._failed("tls.broken_off", str(error) or type(error).__name__)
        finally:
            self._let_go()
            self._reception.handshake_ended(self, failure)

    async def _hand_over(self, transport: asyncio.Transport) -> None:
        self._handshake = _OneHandshake(self._context, self._send_alert, self._early)
        handshake: Any = self._handshake
        secured = await asyncio.get_running_loop().start_tls(
            transport,
            asyncio.Protocol(),  # until it is known what the client speaks
            handshake,
            server_side=True,
            ssl_handshake_timeout=self._seconds,
            ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        if secured is None or secured.is_closing():
            raise ConnectionResetError("the client left during the handshake")
        protocol = self._speak(secured.get_extra_info("ssl_object").selected_alpn_protocol())
        # Called before any data: event loops hand the first of it on only after `start_tls` has returned.
        secured.set_protocol(protocol)
        protocol.connection_made(secured)

    def _let_go(self) -> None:
        """Refer to the connection no more: in a circle its TLS, of some 50 kB, would outlive it until garbage is looked for."""
        connection = self._handshake.connection if self._handshake is not None else None
        if isinstance(connection, EdgeSslObject):
            connection.send_alert = connection.outgoing = None
        self._handshake = self._task = None

    def _send_alert(self, alert: bytes, error: ssl.SSLError) -> None:
        with suppress(OSError):
            os.write(self._descriptor, _PLAIN_HTTP_ANSWER if error.reason == "HTTP_REQUEST" else alert)

    def _failed(self, reason: str, detail: str) -> FailedHandshake:
        name = self._handshake.server_name if self._handshake is not None else None
        return FailedHandshake(listener=self._listener, address=self._address, reason=reason, detail=detail, server_name=name)
