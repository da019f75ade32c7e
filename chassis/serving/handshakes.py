"""gunicorn's threaded worker, with TLS handshakes that never hold a thread: who has not proved itself waits at the poller.

gunicorn's own gives each new connection a thread at once, which waits for its first byte and for every flight of its
handshake: a few silent connections hold all threads before anybody is authenticated.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn.sock import ssl_wrap_socket
from gunicorn.workers.gthread import TConn, ThreadWorker

from chassis.serving.incoming_requests import IncomingParser, plain_settings

HANDSHAKE_SECONDS: Final = 10.0  # of waiting for the peer: what our own threads take to get to it is not its fault
# More than one worker's callers open at a time; the longest waiting makes room, and an honest peer waits for milliseconds.
MOST_HANDSHAKES: Final = 256
_SHAKERS: Final = 2
_NOTICE_SECONDS: Final = 1.0
_NOTHING_TO_ACCEPT: Final = {errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK}
_MOST_DRAINED: Final = 65_536


class IncomingConnection(TConn):  # type: ignore[misc]
    """A connection whose handshake goes on as its peer's bytes come in, for which it is waited `HANDSHAKE_SECONDS` in all."""

    # gunicorn's:
    sock: Any
    initialized: bool  # whether requests are read

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 - handed to gunicorn
        """Wait for the peer to begin."""
        super().__init__(*arguments)
        self.deadline = 0.0
        self.is_secured = False
        self._is_wrapped = False
        self._patience = HANDSHAKE_SECONDS

    def begin_wait(self) -> None:
        """Set the deadline for the peer's next bytes."""
        self.deadline = time.monotonic() + self._patience

    def end_wait(self) -> None:
        """Note that they are here: what is left of the time is for the bytes after them."""
        self._patience = self.deadline - time.monotonic()

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
            self.parser = IncomingParser(plain_settings(self.cfg), self.sock, self.client)

    def close_at_once(self) -> None:
        """Close; what the peer has sent is read, so that an alert reaches it instead of a reset, but not waited for."""
        with suppress(OSError):
            self.sock.settimeout(0.0)
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.recv(_MOST_DRAINED)
        self.close()


class HandshakeWorker(ThreadWorker):  # type: ignore[misc]
    """A worker whose threads serve peers that have proved who they are; two of its own compute handshakes, and await none."""

    _shakers: ThreadPoolExecutor

    def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - handed to gunicorn
        """Serve nobody yet."""
        super().__init__(*arguments, **settings)
        self._awaited: set[IncomingConnection] = set()
        self._next_notice = 0.0

    def notify(self) -> None:
        """Tell the arbiter that this worker lives, once a second: gunicorn's own touches a file three times a request.

        The arbiter gives a worker up that has not been heard of for its `timeout`, a minute here.
        """
        now = time.monotonic()
        if now >= self._next_notice:
            self._next_notice = now + _NOTICE_SECONDS
            super().notify()

    def get_thread_pool(self) -> Any:  # noqa: ANN401 - gunicorn's
        """Return the threads that serve requests; handshakes have their own, so that none waits behind slow requests."""
        self._shakers = ThreadPoolExecutor(_SHAKERS, thread_name_prefix="handshakes")
        return super().get_thread_pool()

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

    def murder_pending(self) -> None:
        """Part from those whose time is up; gunicorn calls this at least once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [each for each in self._awaited if each.deadline <= now]:
            self._part_from(conn)

    def _await(self, conn: IncomingConnection) -> None:
        conn.begin_wait()
        self._awaited.add(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._go_on, conn))

    def _go_on(self, conn: IncomingConnection, sock: Any) -> None:  # noqa: ANN401 - what was registered
        # One that was parted from may still stand among the events of the same look.
        if conn in self._awaited:
            self._awaited.remove(conn)
            conn.end_wait()
            self.poller.unregister(sock)
            shaking = self._shakers.submit(self._is_shaken, conn)
            shaking.add_done_callback(partial(self.method_queue.defer, self._end_step, conn))

    def _is_shaken(self, conn: IncomingConnection) -> bool:
        """Go on with the handshake; answer whether it is done, and requests are read from now on. In a thread of its own."""
        conn.shake()
        if conn.is_secured:
            conn.init()
        return conn.is_secured

    def _end_step(self, conn: IncomingConnection, shaking: Future[bool]) -> None:
        """Await the peer's next flight, or its first request as gunicorn awaits the next one; in the loop."""
        # Whatever was raised ends it: bytes that stay unread would bring it back here at once, again and again.
        if error := shaking.exception():
            self.log.warning("no TLS connection with %s: %r", conn.client, error)
            self._close(conn)
        elif conn.is_secured:
            self.finish_request(conn, shaking)
        else:
            self._await(conn)

    def _part_from(self, conn: IncomingConnection) -> None:
        self._awaited.remove(conn)
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: IncomingConnection) -> None:
        self.nr_conns -= 1
        conn.close_at_once()
