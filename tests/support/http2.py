"""A client that speaks HTTP/2 over a socket, honestly or not: requests one by one, or frame by frame."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection

from tests.support.edge import HOST, Answer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from tests.support.edge import EdgeUnderTest
    from tests.support.pki import Issued

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def plain_client() -> H2Connection:
    """Return a client that says whatever it is told to, right or wrong."""
    return H2Connection(
        H2Configuration(
            client_side=True,
            header_encoding="latin-1",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
        )
    )


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    """Return one frame (RFC 9113 §4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def head(path: str, method: str = "GET", host: str = HOST, **headers: str) -> list[tuple[str, str]]:
    """Return the fields of a request."""
    pseudo = [(":method", method), (":scheme", "https"), (":authority", host), (":path", path)]
    return [*pseudo, *((name.replace("_", "-"), value) for name, value in headers.items())]


@dataclass
class Seen:
    """What came over one stream."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    has_ended: bool = False
    reset: int | None = None


@dataclass
class Http2Client:
    """One connection."""

    socket: ssl.SSLSocket
    frames: H2Connection = field(default_factory=plain_client)
    streams: dict[int, Seen] = field(default_factory=dict)
    goaway: int | None = None
    is_open: bool = True

    def __post_init__(self) -> None:
        self.frames.initiate_connection()
        self.send()

    def send(self, more: bytes = b"") -> None:
        self.socket.sendall(self.frames.data_to_send() + more)

    def ask(self, fields: list[tuple[str, str]], body: bytes | None = None, *, ends: bool = True) -> int:
        """Begin a request; returns its stream."""
        number = self.frames.get_next_available_stream_id()
        self.streams[number] = Seen()
        self.frames.send_headers(number, fields, end_stream=ends and not body)
        self.send()
        if body:
            self.upload(number, body, ends=ends)
        return number

    def ask_until_begun(self, fields: list[tuple[str, str]]) -> int:
        """Ask, again where the edge is too busy, until an answer has begun; returns its stream."""
        while True:
            number = self.ask(fields)
            seen = self.streams[number]
            while not seen.status and seen.reset is None and self.is_open:
                self.hear()
            if seen.status != HTTPStatus.SERVICE_UNAVAILABLE:
                return number

    def upload(self, number: int, body: bytes, *, ends: bool = True) -> None:
        """Send a body as the windows allow, until it is out or its stream is no more."""
        while body and self.streams[number].reset is None and self.is_open:
            size = min(self.frames.local_flow_control_window(number), 16_384, len(body))
            if size:
                self.frames.send_data(number, body[:size], end_stream=ends and size == len(body))
                body = body[size:]
                self.send()
            else:
                self.hear()

    def answer(self, number: int) -> Answer:
        """Read until an answer is whole, or its stream is no more."""
        seen = self.streams[number]
        while not seen.has_ended and seen.reset is None and self.is_open:
            self.hear()
        return Answer(seen.status, seen.headers, seen.body)

    def get(self, path: str = "/v1/consents/1", **headers: str) -> Answer:
        """Ask, and read the answer."""
        return self.answer(self.ask(head(path, **headers)))

    def hear_to_the_end(self) -> None:
        """Read until the connection ends."""
        while self.is_open:
            self.hear()

    def hear(self) -> None:
        """Read what comes next."""
        try:
            data = self.socket.recv(65_536)
        except ConnectionError:
            data = b""
        if not data:
            self.is_open = False
            return
        for event in self.frames.receive_data(data):
            self._heard(event)
        if self.is_open and self.goaway is None:
            self.send()

    def _heard(self, event: events.Event) -> None:
        seen = self.streams.get(getattr(event, "stream_id", None) or 0, Seen())
        if isinstance(event, events.ResponseReceived):
            found: list[Any] = list(event.headers)
            seen.headers = {str(name): str(value) for name, value in found}
            seen.status = int(seen.headers.pop(":status"))
        elif isinstance(event, events.DataReceived):
            seen.body += event.data
            self.frames.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, events.StreamEnded):
            seen.has_ended = True
        elif isinstance(event, events.StreamReset):
            seen.reset = int(event.error_code or 0)
        elif isinstance(event, events.ConnectionTerminated):
            self.goaway = int(event.error_code or 0)


@contextmanager
def http2(edge: EdgeUnderTest, certificate: Issued | None = None, *, port: int | None = None) -> Iterator[Http2Client]:
    """Connect to an edge, offering HTTP/2 as well as HTTP/1.1."""
    context = edge.context(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with edge.connect(context=context, port=port) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        yield Http2Client(connection)
