"""A reply whose head goes out with the first piece of its body: one TLS record, one system call, one wake-up of the reader.

gunicorn writes the two one after the other, and whoever proxies its replies reads twice.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gunicorn import util
from gunicorn.http.wsgi import Response

if TYPE_CHECKING:
    from collections.abc import Callable

# A larger piece is not copied to stand behind its head: it goes out in several records anyway.
_MOST_JOINED_BYTES: Final = 65_536
# So much the edge takes whatever its client does; beyond, a slow client is waited for.
_TAKEN_AT_ONCE_BYTES: Final = 256 * 1024


class JoinedReply(Response):  # type: ignore[misc]
    """gunicorn's own, but for when bytes are written: once for each piece of the body, and once where there is none."""

    # gunicorn's:
    headers_sent: bool
    sent: int

    # Reads what the application has left of the request's body; tells whether that was all.
    finish_body: Callable[[], bool]
    # Lets another thread serve meanwhile: the caller may take its time.
    step_aside: Callable[[], None]

    _held = b""

    def default_headers(self) -> list[str]:
        """Return the lines that every reply has; the date is written once a second."""
        version = "{}.{}".format(*self.req.version)
        lines = [
            f"HTTP/{version} {self.status}\r\n",
            f"Server: {self.version}\r\n",
            f"Date: {_date(int(time.monotonic()))}\r\n",
            f"Connection: {'close' if self.should_close() else 'keep-alive'}\r\n",
        ]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
        return lines

    def send_headers(self) -> None:
        """Hold the head back until what is written next."""
        if not self.headers_sent:
            # Said in the head and not done behind it: a caller that is not told sends another request meanwhile, and loses it.
            if not self.finish_body():
                self.force_close()
            lines = [*self.default_headers(), *[f"{name}: {value}\r\n" for name, value in self.headers], "\r\n"]
            self._held = "".join(lines).encode("latin-1")
            self.headers_sent = True

    def write(self, arg: bytes) -> None:
        """Write a piece of the body, behind the head where that is still to go."""
        super().write(arg)
        self._let_go()

    def close(self) -> None:
        """End the reply; one without a body is its head alone."""
        self.send_headers()
        if self.chunked:
            self._emit_body(b"")  # the last chunk
        self._let_go()

    def can_sendfile(self) -> bool:
        """Answer that files are read and written: what the system sends by itself would overtake a head that is held."""
        return False

    def _emit_body(self, data: bytes) -> None:
        if self.chunked:
            data = b"%X\r\n%b\r\n" % (len(data), data)
        if len(data) > _MOST_JOINED_BYTES:
            self._let_go()
        if self.sent > _TAKEN_AT_ONCE_BYTES:
            self.step_aside()
        held, self._held = self._held, b""
        self.sock.sendall(held + data if held else data)

    def _let_go(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self.sock.sendall(held)


@lru_cache(maxsize=2)
def _date(_second: int) -> str:
    """Return the present date: the same for all that ask within one second."""
    date: str = util.http_date()
    return date
