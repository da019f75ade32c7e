"""Fetches lists and answers over HTTP: from checked addresses, within a deadline, so many bytes and redirects at most."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from gateway.trust.addresses import AddressRefused, read_location, require_allowed
from gateway.trust.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.trust.addresses import IpAddress, Location

MOST_REDIRECTS: Final = 3
_MOST_ADDRESSES: Final = 4
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = 200
_NOT_MODIFIED: Final = 304


class FetchFailed(Exception):
    """Nothing usable came; the message says why, `status` what was answered, None where nothing was."""

    def __init__(self, text: str, *, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to fetch, and how far to go for it: the deadline is for all of it, finding the host and redirects included.

    With a `body` it is sent by POST, and no redirect is followed. `taken` are the statuses of a good answer, whose body is left
    alone where `most_bytes` is 0. `party` is who has named the address; empty: the operator.
    """

    url: str
    deadline_seconds: float
    most_bytes: int
    internal_hosts: frozenset[str] = frozenset()
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    most_redirects: int = MOST_REDIRECTS
    taken: frozenset[int] = frozenset({_OK})
    party: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came; `body` is None where it has not changed since it was last fetched (304)."""

    body: bytes | None
    etag: str | None


class Fetcher:
    """Fetches, and blocks while it does."""

    def __init__(self, context: ssl.SSLContext | None = None, names: Names | None = None) -> None:
        """Trust what the system trusts, for the few addresses that are https."""
        self._context = context or ssl.create_default_context()
        self._names = names or Names()

    def fetch(self, order: Order) -> Fetched:
        """Return the body of a good answer; raises `FetchFailed`."""
        url, deadline = order.url, time.monotonic() + order.deadline_seconds
        for _ in range(order.most_redirects + 1):
            try:
                reply = self._reply(url, order, deadline)
            except AddressRefused as error:
                raise FetchFailed(f"{url}: {error}") from error
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise FetchFailed(f"{url}: {str(error) or type(error).__name__}") from error
            if isinstance(reply, Fetched):
                return reply
            url = reply
        raise FetchFailed(f"{order.url}: redirects more than {order.most_redirects} times")

    def _reply(self, url: str, order: Order, deadline: float) -> Fetched | str:
        """Return what came, or where it is said to be."""
        location = read_location(url)
        with self._connected(location, order, deadline) as connection:
            connection.sendall(_request(location, order))
            response = http.client.HTTPResponse(connection, method="GET" if order.body is None else "POST")
            response.begin()
            if response.status in _REDIRECTS and order.body is None:
                # Each leads to an address that is checked as the first one was.
                return urljoin(url, response.headers.get("Location", ""))
            if response.status == _NOT_MODIFIED and "If-None-Match" in order.headers:
                return Fetched(None, order.headers["If-None-Match"])
            if response.status not in order.taken:
                raise FetchFailed(f"{url}: answered {response.status}", status=response.status)
            if not order.most_bytes:
                return Fetched(None, None)
            return Fetched(_body(response, url, order.most_bytes), response.headers.get("ETag"))

    @contextmanager
    def _connected(self, location: Location, order: Order, deadline: float) -> Iterator[socket.socket]:
        """Lend a connection that is broken off at the deadline, however slowly its other end speaks."""
        addresses = self._names.addresses_of(
            location.host, location.port, seconds=deadline - time.monotonic(), party=order.party
        )
        require_allowed(location, addresses, order.internal_hosts)
        connection = _first_that_answers(addresses, location.port, deadline)
        if location.is_encrypted:
            # The name that is verified is the one in the address, whatever number it leads to.
            connection = self._context.wrap_socket(connection, server_hostname=location.host, do_handshake_on_connect=False)
        with closing(connection), _broken_off_at(deadline, connection):
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            yield connection


def _first_that_answers(addresses: Sequence[IpAddress], port: int, deadline: float) -> socket.socket:
    failure: OSError = ConnectionRefusedError("nobody listens")
    for address in addresses[:_MOST_ADDRESSES]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no connection in time")
        try:
            return socket.create_connection((str(address), port), timeout=left)
        except OSError as error:
            failure = error
    raise failure


@contextmanager
def _broken_off_at(deadline: float, connection: socket.socket) -> Iterator[None]:
    def break_off() -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    # A timeout of the socket begins anew with each byte that comes.
    timer = threading.Timer(max(deadline - time.monotonic(), 0), break_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _request(location: Location, order: Order) -> bytes:
    default = 443 if location.is_encrypted else 80
    host = f"[{location.host}]" if ":" in location.host else location.host
    lines = {"Host": host if location.port == default else f"{host}:{location.port}", "Connection": "close", **order.headers}
    if order.body is not None:
        lines["Content-Length"] = str(len(order.body))
    head = f"{'GET' if order.body is None else 'POST'} {location.path} HTTP/1.1\r\n"
    return (head + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n").encode("latin-1") + (
        order.body or b""
    )


def _body(response: http.client.HTTPResponse, url: str, most_bytes: int) -> bytes:
    body = response.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise FetchFailed(f"{url}: has more than {most_bytes} bytes")
    # `read` of so many bytes takes what there is, without a word about what is missing.
    if response.length not in {None, 0}:
        raise FetchFailed(f"{url}: broke off after {len(body)} bytes")
    return body
