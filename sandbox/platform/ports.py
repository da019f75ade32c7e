"""Are the ports free? Asked before anything starts, so that the answer names the port and what it is for."""

from __future__ import annotations

import errno
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.platform.servers import Listener

_LOOK_AGAIN_SECONDS = 0.1
_LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class PortTaken(RuntimeError):
    """A port that another program listens on."""

    def __init__(self, listener: Listener) -> None:
        """Say which port, what it was to be used for, and the way out."""
        super().__init__(
            f"port {listener.port} is taken by another program; it is for {listener.purpose}. "
            "Stop that program, or choose other ports with --base-port N (all ports shift together)"
        )
        self.port = listener.port


def require_free(listeners: Iterable[Listener], *, patience_seconds: float = 0.0) -> None:
    """Raise `PortTaken` for the first port that stays taken for longer than `patience_seconds`."""
    give_up = time.monotonic() + patience_seconds
    for listener in listeners:
        while not is_free(listener.port):
            if time.monotonic() >= give_up:
                raise PortTaken(listener)
            time.sleep(_LOOK_AGAIN_SECONDS)


def is_free(port: int) -> bool:
    """Answer whether a server could listen on this port of the loopback addresses."""
    return all(_can_bind(family, host, port) for family, host in _LOOPBACKS)


def _can_bind(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As gunicorn does: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        # A machine without IPv6 has nothing to be taken there.
        return error.errno in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
    return True
