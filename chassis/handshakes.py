"""gunicorn's threaded worker, with TLS handshakes that never hold a thread: who has not proved itself waits at the poller.

gunicorn's own gives each new connection a thread at once, which waits for its first byte and for every flight of its
handshake: a few silent connections hold all threads before anybody is authenticated.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn import http
from gunicorn.sock import ssl_wrap_socket
from gunicorn.workers.gthread import TConn, ThreadWorker

HANDSHAKE_SECONDS: Final = 3.0
# More than one worker's callers open at a time; the longest waiting makes room, and an honest peer waits for milliseconds.
MOST_HANDSHAKES: Final = 256
_NOTHING_TO_ACCEPT: Final = {errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK}
_MOST_DRAINED: Final = 65_536


class IncomingConnection(TConn):  # type: ignore[misc]
    """A connection whose handshake goes on as its peer's bytes come in, and has to be done by `deadline`."""

    # gunicorn's:
    sock: Any
    initialized: bool  # whether requests are read

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 - handed to gunicorn
        """Wait for the peer to begin."""
        super().__init__(*arguments)
        self.deadline = time.monotonic() + HANDSHAKE_SECONDS
        self.is_secured = False
        self.has_failed = False
        self._is_wrapped = False

    def shake(self) -> None:
        """Take the handshake as far as the bytes that are here go; never blocks. Raises `OSError`."""
        if not self._is_wrapped:
            self.sock = ssl_wrap_socket(self.sock, self.cfg)
            self._is_wrapped = True
        # What we send fits the buffer of a new connection: it is the peer that is waited for.
        with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self.sock.do_handshake()
            self.is_secured = True

    def init(self) -> None:
        """Read requests from now on; gunicorn's own would wrap the socket once more, and block in the handshake."""
        if not self.initialized:
            self.initialized = True
            self.parser = http.get_parser(self.cfg, self.sock, self.client)

    def close_at_once(self) -> None:
        """Close; what the peer has sent is read, so that an alert reaches it instead of a reset, but not waited for."""
        with suppress(OSError):
            self.sock.settimeout(0.0)
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.recv(_MOST_DRAINED)
        self.close()


class HandshakeWorker(ThreadWorker):  # type: ignore[misc]
    """A worker whose threads serve peers that have proved who they are, and compute handshakes, but await none."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - handed to gunicorn
        """Serve nobody yet."""
        super().__init__(*arguments, **settings)
        self._awaited: set[IncomingConnection] = set()

    def accept(self, listener: Any) -> None:  # noqa: ANN401 - gunicorn's socket
        """Take a connection; it gets no thread before its first byte."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in _NOTHING_TO_ACCEPT:
                raise
            return
        self.nr_conns += 1
        self._await(IncomingConnection(self.cfg, sock, client, listener.getsockname()))
        if len(self._awaited) > MOST_HANDSHAKES:
            self._part_from(min(self._awaited, key=lambda each: each.deadline))

    def handle(self, conn: IncomingConnection) -> Any:  # noqa: ANN401 - gunicorn's outcome of a request
        """Go on with the handshake, or serve a request; in a thread."""
        if not conn.is_secured and not self._is_shaken(conn):
            return False
        return super().handle(conn)

    def _is_shaken(self, conn: IncomingConnection) -> bool:
        """Go on with the handshake; answer whether it is done, and requests are read from now on."""
        try:
            conn.shake()
        except OSError as error:
            conn.has_failed = True
            self.log.warning("no TLS connection with %s: %s", conn.client, error)
        if conn.is_secured:
            conn.init()
        return conn.is_secured

    def finish_request(self, conn: IncomingConnection, fs: Any) -> None:  # noqa: ANN401 - gunicorn's future
        """Await the peer's next flight, or what gunicorn does after a request; in the loop, which must not block."""
        if conn.is_secured:
            super().finish_request(conn, fs)
        elif conn.has_failed or time.monotonic() >= conn.deadline:
            self._close(conn)
        else:
            self._await(conn)

    def murder_pending(self) -> None:
        """Part from those whose time is up; gunicorn calls this at least once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [each for each in self._awaited if each.deadline <= now]:
            self._part_from(conn)

    def _await(self, conn: IncomingConnection) -> None:
        self._awaited.add(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._go_on, conn))

    def _go_on(self, conn: IncomingConnection, sock: Any) -> None:  # noqa: ANN401 - what was registered
        # One that was parted from may still stand among the events of the same look.
        if conn in self._awaited:
            self._awaited.remove(conn)
            self.poller.unregister(sock)
            self.enqueue_req(conn)

    def _part_from(self, conn: IncomingConnection) -> None:
        self._awaited.remove(conn)
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: IncomingConnection) -> None:
        self.nr_conns -= 1
        conn.close_at_once()
