"""A TPP's endpoint for notifications, over real TLS, that does what a test tells it: take, refuse, lead away, stall."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.pki import Authority

HOST = "demo.tpp.example"
TAKE, REFUSE = 200, 503


@dataclass
class Received:
    """One notification as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Receiver:
    """A server on a port of the operating system's choice; `answers` are used one after the other, then `usual`."""

    usual: int = TAKE
    answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def uri(self) -> str:
        return f"https://{HOST}:{self.port}/notifications"

    @property
    def told(self) -> list[str]:
        """The statuses that came, in their order."""
        members = ("scaStatus", "transactionStatus", "consentStatus")
        return [each.body[name] for each in self.received for name in members if name in each.body]

    def stall(self, _: BaseHTTPRequestHandler) -> None:
        """Answer nothing until the test lets go."""
        self.released.wait(30)

    def start(self, authority: Authority, folder: Path, *names: str) -> Receiver:
        """Listen with a certificate for these names."""
        return self.listen(*authority.server(*(names or (HOST,))).write(folder, "receiver"))

    def listen(self, certificate: str, key: str) -> Receiver:
        """Listen with the certificate of these files."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(self.path, headers, orjson.loads(body)))
                answer = receiver.answers.pop(0) if receiver.answers else receiver.usual
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer)
                self.send_header("Location", f"https://{HOST}:{receiver.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
