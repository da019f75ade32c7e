"""Requests that keep a processor busy for seconds: a few at a time, so that threads are left for everybody else's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bank_backend.errors import BankBusy
from chassis.serving.turnstile import TooBusy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chassis.serving.turnstile import Turnstile


@contextmanager
def heavy(gate: Turnstile, what: str) -> Iterator[None]:
    """Work behind the gate while the block runs; raises `BankBusy`, where too many are at `what` already."""
    try:
        with gate.passage():
            yield
    except TooBusy:
        raise BankBusy(what) from None
