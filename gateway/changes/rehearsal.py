"""Changes that are only tried: everything is done as ever, and undone at the end of the transaction."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_rehearsing: ContextVar[bool] = ContextVar("rehearsing", default=False)


def is_rehearsal() -> bool:
    """Whether what is done now is to be undone."""
    return _rehearsing.get()


@contextmanager
def rehearsing() -> Iterator[None]:
    """Let the transactions of `gateway.changes.store.changing` leave nothing behind."""
    token = _rehearsing.set(True)
    try:
        yield
    finally:
        _rehearsing.reset(token)
