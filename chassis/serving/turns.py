"""gunicorn's threaded worker, in which whichever thread is free takes the connection that has something to read.

gunicorn's own hands each request from its loop to a thread and the connection back to the loop: two queues, three wake-ups
and some forty system calls a request, where four or five do.
"""

from __future__ import annotations

import os
import select
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.body import LengthReader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from chassis.serving.handshakes import HandshakeWorker
from chassis.serving.replies import JoinedReply
from chassis.serving.stand_ins import StandIns

if TYPE_CHECKING:
    from concurrent.futures import Future

    from chassis.serving.handshakes import IncomingConnection

_TO_READ: Final = select.EPOLLIN | select.EPOLLONESHOT
# What was read ahead makes no socket readable; one that can be written to is ready at once, behind all that are ready already.
_IN_ITS_TURN: Final = _TO_READ | select.EPOLLOUT

# The edge sends a request once it has so much of its body: it is here, or will be at once.
_MOST_DRAINED_BYTES: Final = 256 * 1024 + 1
_DRAIN_SECONDS: Final = 5.0


class TurnWorker(HandshakeWorker):
    """A worker whose threads all wait at one poller; it gives each connection to one of them, in the order they are ready."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - handed to gunicorn
        """Serve nobody yet."""
        super().__init__(*arguments, **settings)
        # By descriptor, those that wait longest first. Whoever takes one out has it: that is one step of the interpreter.
        self._idle: dict[int, IncomingConnection] = {}
        self._stand_ins = StandIns(self._take_turns)
        self._ready: select.epoll
        self._is_over: int

    def run(self) -> None:
        """Serve until told to stop; the threads end with the requests that they serve."""
        self._ready, self._is_over = select.epoll(), os.eventfd(0)
        self._ready.register(self._is_over, select.EPOLLIN)
        for number in range(self.cfg.threads):
            threading.Thread(target=self._take_turns, name=f"requests-{number}").start()
        try:
            super().run()
        finally:
            os.eventfd_write(self._is_over, 1)  # never read: each of them sees it

    # --- threads ---

    def _take_turns(self) -> None:
        while True:
            for descriptor, _ in self._ready.poll(maxevents=1):
                if descriptor == self._is_over:
                    return
                conn = self._idle.pop(descriptor, None)
                if conn is not None:
                    self._take_turn(conn)
                    if self._stand_ins.is_aside():
                        self._stand_ins.leave()
                        return

    def _take_turn(self, conn: IncomingConnection) -> None:
        """Serve one request, and let others have their turn before the next one of this connection."""
        try:
            if self.handle(conn):
                self._await_request(conn)
                return
            with suppress(OSError):  # the peer may have ended it
                conn.close(graceful=True)
        except BaseException:  # whatever the application raises, the thread serves others
            self.log.exception("a connection with %s has ended", conn.client)
            util.close(conn.sock)
        self.method_queue.defer(self._count_out)

    def _await_request(self, conn: IncomingConnection) -> None:
        has_more = conn.parser.unreader.buf.getbuffer().nbytes or conn.sock.pending()
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        descriptor = conn.sock.fileno()
        self._idle[descriptor] = conn  # first: from the next line on another thread may look for it
        with suppress(OSError):  # the loop has closed it meanwhile, as all of them at the end, and counted it out
            self._ready.modify(descriptor, _IN_ITS_TURN if has_more else _TO_READ)

    def handle_request(self, req: Any, conn: IncomingConnection) -> bool:  # noqa: ANN401 - gunicorn's
        """Answer one request; return whether the connection goes on. As gunicorn does, but for hooks that we do not use."""
        reply, environ = wsgi.create(req, conn.sock, conn.client, conn.server, conn.parser.cfg, response_class=JoinedReply)
        environ["wsgi.multithread"] = True
        reply.finish_body = partial(self._has_whole_body, conn)
        reply.step_aside = self._stand_ins.step_aside
        if not self.alive or len(self._idle) >= self.max_keepalived:
            reply.force_close()
        try:
            self._answer(reply, environ)
        except OSError:
            raise
        except (Exception, SystemExit):
            if not reply.headers_sent:
                raise
            self.log.exception("Error handling request")
            return False
        return not reply.should_close()

    def _keepalive_after(self, conn: IncomingConnection, keepalive: bool) -> bool:  # noqa: FBT001 - gunicorn's signature
        """Return whether the connection can be used again."""
        return keepalive and self._has_whole_body(conn)

    def _has_whole_body(self, conn: IncomingConnection) -> bool:
        """Read what the application has left of a body, as far as the edge waits for one; return whether that was all."""
        reader = conn.parser.mesg.body.reader
        if isinstance(reader, LengthReader) and not reader.length:
            return True
        deadline = time.monotonic() + _DRAIN_SECONDS
        with suppress(OSError):
            return bool(conn.parser.finish_body(deadline=deadline, max_bytes=_MOST_DRAINED_BYTES))
        return False

    def _answer(self, reply: JoinedReply, environ: dict[str, Any]) -> None:
        pieces = self.wsgi(environ, reply.start_response)
        try:
            for piece in pieces:
                reply.write(piece)
            reply.close()
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    # --- the loop ---

    def finish_request(self, conn: IncomingConnection, shaking: Future[bool]) -> None:
        """Let the threads have a connection whose handshake is done."""
        del shaking
        conn.set_timeout()
        descriptor = conn.sock.fileno()
        self._idle[descriptor] = conn
        self._ready.register(descriptor, _TO_READ)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's signature
        """Close connections that have been idle too long, or all of them."""
        now = time.monotonic()
        for descriptor, conn in list(self._idle.items()):
            if conn.timeout > now and not force:
                return
            if self._idle.pop(descriptor, None) is conn:
                conn.close()
                self._count_out()

    def _cap_keepalive(self, deadline: float) -> None:
        for conn in list(self._idle.values()):
            conn.timeout = min(conn.timeout, deadline)

    def _count_out(self) -> None:
        self.nr_conns -= 1
