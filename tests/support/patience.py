"""Trying until it works: what a platform that recovers by itself is judged by."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from tpp_client.errors import TppClientError

if TYPE_CHECKING:
    from collections.abc import Callable

BACK_SECONDS = 60.0
# Promised is a second: `poll_seconds` says so, and what follows from it. How long a busy machine takes for it says nothing.
IN_FORCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.1
Value = TypeVar("Value")


def patiently(action: Callable[[], Value]) -> Value:
    """Try until it works; the last failure is raised when the time is up."""
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        try:
            return action()
        except TppClientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
