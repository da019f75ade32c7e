"""Sends one notification: to the address that was checked, over verified TLS, within a deadline; only the status is read.

No redirect is followed and nothing of the answer is kept, so that a TPP learns nothing of what the bank can reach.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from bank_backend.notifications.addresses import NotNotifiable, read_target, resolve

if TYPE_CHECKING:
    from pathlib import Path

    from bank_backend.notifications.addresses import AddressPolicy, IpAddress, Target
    from bank_backend.notifications.model import Notification

_CONNECT_SECONDS: Final = 3.0
_DEADLINE_SECONDS: Final = 10.0
_MOST_STATUS_LINE: Final = 1_024


class NotDelivered(Exception):
    """The receiver did not take it; the message says what happened."""


def tls_context(trust_bundle: Path) -> ssl.SSLContext:
    """Trust what the system trusts, and the platform's own bundle: the QWACs that secure TPPs' addresses come from there."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if trust_bundle.exists():
        context.load_verify_locations(cafile=trust_bundle)
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Sends notifications."""

    context: ssl.SSLContext
    policy: AddressPolicy

    def send(self, notification: Notification) -> str:
        """Send it and return what the receiver answered; raises `NotDelivered`."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        try:
            target = read_target(notification.uri)
            # Asked anew at each try, and connected to by number: what a name means may have changed since it was allowed.
            addresses = resolve(target, self.policy)
            with self._connected(target, addresses) as connection:
                connection.settimeout(_left(deadline))
                connection.sendall(_request(target, notification))
                status = _status(connection, deadline)
        except NotNotifiable as error:
            raise NotDelivered(str(error)) from error
        except ssl.SSLCertVerificationError as error:
            raise NotDelivered(f"the receiver's certificate is not trusted: {error.verify_message}") from error
        except TimeoutError as error:
            raise NotDelivered(f"no answer within {_DEADLINE_SECONDS:.0f} seconds") from error
        except OSError as error:
            raise NotDelivered(f"no connection: {error.strerror or type(error).__name__}") from error
        if not 200 <= status < 300:  # noqa: PLR2004 - the successes of HTTP
            raise NotDelivered(f"answered {status}")
        return f"answered {status}"

    def _connected(self, target: Target, addresses: list[IpAddress]) -> ssl.SSLSocket:
        failure: OSError = ConnectionRefusedError("nobody listens")
        for address in addresses:
            try:
                plain = socket.create_connection((str(address), target.port), timeout=_CONNECT_SECONDS)
            except OSError as error:
                failure = error
                continue
            try:
                # The name that is verified is the one in the address, whatever number it leads to.
                return self.context.wrap_socket(plain, server_hostname=target.host)
            except BaseException:
                plain.close()
                raise
        raise failure


def _request(target: Target, notification: Notification) -> bytes:
    body = orjson.dumps(notification.body)
    host = target.host if target.port == 443 else f"{target.host}:{target.port}"  # noqa: PLR2004 - https
    head = (
        f"POST {target.path} HTTP/1.1\r\nHost: {host}\r\nX-Request-ID: {notification.request_id}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def _status(connection: ssl.SSLSocket, deadline: float) -> int:
    """Read the status line and no more, however slowly it comes."""
    line = b""
    while b"\n" not in line and len(line) < _MOST_STATUS_LINE:
        connection.settimeout(_left(deadline))
        part = connection.recv(_MOST_STATUS_LINE)
        if not part:
            break
        line += part
    words = line.partition(b"\n")[0].split(b" ")
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].strip().isdigit():  # noqa: PLR2004 - version and status
        raise NotDelivered("answered no HTTP")
    return int(words[1])


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
