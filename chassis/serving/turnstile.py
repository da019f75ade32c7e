"""Lets a few in at a time: hashing passwords, or making a tenant, is heavy work, and others must be answered meanwhile."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class TooBusy(RuntimeError):
    """As many are inside and waiting as there is room for."""

    code = "server.busy"
    retry_after_seconds = 5

    def __init__(self, what: str) -> None:
        """Say of what there is too much, and that nothing has happened."""
        super().__init__(f"too many {what} at the same time; nothing has been done, try again in a few seconds")


class Turnstile:
    """Room for `inside` at a time and `waiting` more, who wait for at most `patience_seconds`."""

    def __init__(self, *, inside: int, waiting: int, patience_seconds: float, what: str = "registrations") -> None:
        """Let nobody in yet; `what` they come for is told to those turned away."""
        self._what = what
        self._room = threading.BoundedSemaphore(inside + waiting)
        self._inside = threading.BoundedSemaphore(inside)
        self._patience_seconds = patience_seconds

    @contextmanager
    def passage(self) -> Iterator[None]:
        """Be inside while the block runs; raises `TooBusy`."""
        if not self._room.acquire(blocking=False):
            raise TooBusy(self._what)
        try:
            if not self._inside.acquire(timeout=self._patience_seconds):
                raise TooBusy(self._what)
            try:
                yield
            finally:
                self._inside.release()
        finally:
            self._room.release()
