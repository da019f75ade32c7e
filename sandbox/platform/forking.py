"""A process that has loaded what all servers stand on, and forks them: the same start six times for the price of one.

`python -m sandbox.platform.forking DESCRIPTOR SUPERVISOR-PID` takes orders from that socket and answers each with the process
id of a gunicorn. It holds no key and runs no thread, so that what it forks is as good as a new process.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn

import orjson

from sandbox.platform.leash import be_called, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHARED: Final = (
    "chassis.serving.callers",
    "chassis.sql.database",
    "chassis.serving.handshakes",
    "chassis.serving.listener",
    "chassis.logs",
    "chassis.peers",
    "chassis.settings",
    "chassis.serving.turns",
    "cryptography.x509",
    "flask",
    "gunicorn.app.wsgiapp",
)
_MOST_ORDER_BYTES: Final = 65_536
_ADOPTION_SECONDS, _LOOK_AGAIN_SECONDS = 10.0, 0.001


def main(descriptor: int, supervisor: int) -> None:
    """Fork what is ordered until the supervisor closes its end or dies."""
    for module in _SHARED:
        import_module(module)
    # What is shared stays shared: a collector that walks through it would copy it page by page.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as orders:
        for order in _received(orders):
            _fork_twice(orders, order, supervisor)


def _received(orders: socket.socket) -> Iterator[dict[str, Any]]:
    while order := orders.recv(_MOST_ORDER_BYTES):
        yield orjson.loads(order)


def _fork_twice(orders: socket.socket, order: dict[str, Any], supervisor: int) -> None:
    """Fork a process that forks the server and ends at once: the server is the supervisor's child from then on."""
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        return
    if os.fork():
        os._exit(0)
    os.setsid()
    _await_adoption(supervisor)
    orders.send(str(os.getpid()).encode())
    orders.close()
    _become_server(order, supervisor)


def _await_adoption(supervisor: int) -> None:
    until = time.monotonic() + _ADOPTION_SECONDS
    while os.getppid() != supervisor and time.monotonic() < until:
        time.sleep(_LOOK_AGAIN_SECONDS)


def _become_server(order: dict[str, Any], supervisor: int) -> NoReturn:
    console = os.open(order["console"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(console, sys.stdout.fileno())
    os.dup2(console, sys.stderr.fileno())
    os.close(console)
    be_called(order["name"])
    serve(order["arguments"], supervisor=supervisor)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
