"""Doing things at the same instant, in threads that begin together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SECONDS = 60
Value = TypeVar("Value")


def at_once(*actions: Callable[[], Value]) -> list[Value | Exception]:
    """Return what each action returned or raised, in their order."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], Value]) -> Value | Exception:
        start.wait(MOST_SECONDS)
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test judges it
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result(MOST_SECONDS) for future in [pool.submit(run, action) for action in actions]]
