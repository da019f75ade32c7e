"""The supervisor's end of the process that forks its servers (`forking`)."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final

import orjson

from sandbox.platform.child import Child, python, spawn
from sandbox.platform.leash import adopt_orphans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ANSWER_SECONDS: Final = 30.0
_MOST_BYTES: Final = 64


class ForkServer:
    """What it forks become children of this process: it can wait for them, and the kernel tells them of its death."""

    def __init__(self, *, environment: Mapping[str, str], folder: Path, console: Path) -> None:
        """Start the process; it loads while this one goes on. Linux only; raises `OSError`."""
        adopt_orphans()
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(_ANSWER_SECONDS)
        with other:
            command = python("sandbox.platform.forking", str(other.fileno()), str(os.getpid()))
            self._child = spawn(command, environment=environment, folder=folder, console=console, keep=(other.fileno(),))

    def start(self, arguments: Sequence[str], *, name: str, console: Path) -> Child:
        """Start a gunicorn, which `ps -o comm` calls by its name. Raises `OSError` where nobody does so."""
        with console.open("ab") as file:
            begins_at = file.tell()
        self._socket.send(orjson.dumps({"arguments": arguments, "name": name, "console": str(console)}))
        answer = self._socket.recv(_MOST_BYTES)
        if not answer:
            raise ConnectionResetError("the fork server has ended")
        return Child(int(answer), console=console, begins_at=begins_at)

    def close(self) -> None:
        """End it; what it has forked goes on."""
        self._socket.close()
        self._child.bury()
