"""An internal server for tests of the edge: real mutual TLS, and a reply that each test scripts, down to single bytes."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chassis.serving.listener import server_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from chassis.home import Home

_READ_SECONDS, _HELD_SECONDS = 60.0, 120.0


@dataclass
class Received:
    """One request as it arrived."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name.lower()]

    def value(self, name: str) -> str | None:
        values = self.values(name)
        return values[0] if values else None


@dataclass
class Conversation:
    """A connection that a test's reply function may use as it likes."""

    socket: ssl.SSLSocket
    buffer: bytearray = field(default_factory=bytearray)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_head(self) -> Received | None:
        while b"\r\n\r\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.buffer += data
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name.lower(), value) for name, _, value in (each.partition(": ") for each in lines)]
        return Received(line, headers)

    def read_body(self, request: Received) -> None:
        if request.value("transfer-encoding") == "chunked":
            request.body = self._chunks()
        else:
            request.body = self.take(int(request.value("content-length") or 0))

    def take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError
            self.buffer += data
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            while b"\r\n" not in self.buffer:
                self.buffer += self.socket.recv(65536)
            end = self.buffer.index(b"\r\n")
            size = int(self.take(end + 2), 16)
            body += self.take(size)
            self.take(2)
            if size == 0:
                return bytes(body)


Reply = "Callable[[Received, Conversation], bool]"


def echo(request: Received, conversation: Conversation) -> bool:
    """Answer with what arrived, as JSON."""
    conversation.read_body(request)
    body = json.dumps({"line": request.line, "headers": request.headers, "body": request.body.decode("latin-1")}).encode()
    conversation.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return True


def raw(reply: bytes, *, then_close: bool = False) -> Callable[[Received, Conversation], bool]:
    """Answer with exactly these bytes."""

    def answer(request: Received, conversation: Conversation) -> bool:
        conversation.read_body(request)
        conversation.send(reply)
        return not then_close

    return answer


@dataclass
class ScriptedUpstream:
    """Listens on a free port. `reply` answers every request; it returns whether the connection is kept."""

    home: Home
    name: str = "bank"
    reply: Callable[[Received, Conversation], bool] = echo
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    context: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._context = self.context or server_context(self.home, self.name)
        self._context.sslsocket_class = ssl.SSLSocket
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop listening and cut every connection."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts; closing alone would not
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection, as a killed server's kernel does."""
        with self._lock:
            for each in self._open:
                # The thread that serves it closes it: its number must not be given to another file while OpenSSL reads it.
                with suppress(OSError):
                    socket.socket.shutdown(each, socket.SHUT_RDWR)
            self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        accepted.settimeout(_READ_SECONDS)
        try:
            with self._context.wrap_socket(accepted, server_side=True) as secured:
                with self._lock:
                    self._open.add(secured)
                    self.connections += 1
                self._converse(Conversation(secured))
        except (OSError, ValueError, ConnectionError):
            return

    def _converse(self, conversation: Conversation) -> None:
        while (request := conversation.read_head()) is not None:
            self.received.append(request)
            if not self.reply(request, conversation):
                return


def slowly(pieces: list[bytes], *, seconds: float) -> Callable[[Received, Conversation], bool]:
    """Answer piece by piece."""

    def answer(request: Received, conversation: Conversation) -> bool:
        conversation.read_body(request)
        for piece in pieces:
            conversation.send(piece)
            time.sleep(seconds)
        return True

    return answer


def held(released: threading.Event, rest: bytes, *, begun: bytes = b"") -> Callable[[Received, Conversation], bool]:
    """Answer with what is begun, and with the rest once released."""

    def answer(request: Received, conversation: Conversation) -> bool:
        conversation.read_body(request)
        conversation.send(begun)
        assert released.wait(_HELD_SECONDS)
        conversation.send(rest)
        return True

    return answer
