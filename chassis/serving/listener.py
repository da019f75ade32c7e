"""How an internal server listens: gunicorn's threaded worker behind mutual TLS with the internal CA.

Handshakes hold no thread (`handshakes.py`), idle connections hold none (`turns.py`), and every blocking read has a deadline:
otherwise a handful of silent connections hold all threads of a worker.
"""

from __future__ import annotations

import gc
import select
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from chassis.home import Home

# Elsewhere than on Linux gunicorn's own way of handing connections to threads has to do.
_WORKER = "chassis.serving.turns.TurnWorker" if hasattr(select, "epoll") else "chassis.serving.handshakes.HandshakeWorker"
_READ_SECONDS = 15.0
_CERTIFICATE_LOOK_SECONDS = 1.0
# ECDHE with AEAD only; TLS 1.3 suites are all of that kind.
TLS12_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalListener:
    """One internal server: its name (certificate and service name), port and size."""

    name: str
    home: Home
    port: int
    host: str = "localhost"
    workers: int = 1
    threads: int = 8


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket on which nothing blocks for ever."""

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the signature of the standard library
        """Turn "block for ever" into "block until the deadline"."""
        self.settimeout(_READ_SECONDS if flag else 0.0)

    @cached_property
    def peer_names(self) -> tuple[str, ...]:
        """The DNS names of the certificate whose key the peer has proved: read once, since a connection has one for good."""
        certificate = self.getpeercert() or {}
        names: Iterable[tuple[str, str]] = certificate.get("subjectAltName", ())  # type: ignore[assignment]
        return tuple(value for kind, value in names if kind == "DNS")


class RotatingContext:
    """A server's TLS set-up that follows its certificate files: built once, rebuilt when they change."""

    def __init__(self, listener: InternalListener) -> None:
        """Build the context now, so that an unreadable certificate stops the start; raises `OSError`."""
        self._listener = listener
        self._lock = threading.Lock()
        self._looked_at = time.monotonic()
        self._stamp = self._files_stamp()
        self._context = server_context(listener.home, listener.name)

    def current(self) -> ssl.SSLContext:
        """Return the context for a new connection."""
        with self._lock:
            if time.monotonic() - self._looked_at >= _CERTIFICATE_LOOK_SECONDS:
                self._looked_at = time.monotonic()
                self._reload_if_changed()
            return self._context

    def _reload_if_changed(self) -> None:
        try:
            stamp = self._files_stamp()
            if stamp != self._stamp:
                self._context = server_context(self._listener.home, self._listener.name)
                self._stamp = stamp
        except (OSError, ssl.SSLError):
            # Half-way through a rotation certificate and key don't match yet: the old pair serves until they do.
            return

    def _files_stamp(self) -> tuple[int, ...]:
        pair = self._listener.home.server(self._listener.name)
        return _stamp(pair.certificate), _stamp(pair.key), _stamp(self._listener.home.ca("internal").certificate)


def _stamp(path: Path) -> int:
    return path.stat().st_mtime_ns


def server_context(home: Home, name: str) -> ssl.SSLContext:
    """Return the TLS set-up of the internal server `name`: callers need a certificate of the internal CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS12_CIPHERS)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cafile=str(home.ca("internal").certificate))
    pair = home.server(name)
    context.load_cert_chain(str(pair.certificate), str(pair.key))
    context.sslsocket_class = DeadlineSocket
    return context


def internal_listener(listener: InternalListener) -> dict[str, object]:
    """Return the gunicorn settings of an internal server, for `globals().update(...)` in its config module."""
    rotating: list[RotatingContext] = []

    def ssl_context(_config: object, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        # Built in the first worker that asks: gunicorn calls this for every connection.
        if not rotating:
            rotating.append(RotatingContext(listener))
        return rotating[0].current()

    pair = listener.home.server(listener.name)
    return {
        "bind": [f"{listener.host}:{listener.port}"],
        "worker_class": _WORKER,
        "workers": listener.workers,
        "threads": listener.threads,
        "certfile": str(pair.certificate),
        "keyfile": str(pair.key),
        "ca_certs": str(listener.home.ca("internal").certificate),
        "cert_reqs": ssl.CERT_REQUIRED,
        "ssl_context": ssl_context,
        # Longer than the edge keeps an idle upstream connection, so that the caller is the one to close it.
        "keepalive": 90,
        "timeout": 60,
        "graceful_timeout": 3,
        "limit_request_line": 8190,
        "limit_request_fields": 100,
        "proc_name": f"psd2-{listener.name}",
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "reuse_port": False,
        "control_socket_disable": True,
        "on_starting": keep_what_is_loaded,
        "post_worker_init": keep_what_is_loaded,
    }


def keep_what_is_loaded(_of_gunicorn: object) -> None:
    """Take what is loaded out of the garbage collector's sight: it stays for good.

    Forked workers then share its memory with the master instead of copying it, and none walks through it when it ends.
    """
    gc.collect()
    gc.freeze()
