"""Who acts: set once by the door that a change comes in by, read where the change is recorded in its transaction.

A context variable, because the stores of every area write records and none of them decides who is asking.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller by the name in its certificate, and for whom it says that it acts."""

    name: str
    on_behalf_of: str | None = None


THE_GATEWAY: Final = Actor("gateway")
"""The gateway itself: what it does at start, unasked."""

_acting: ContextVar[Actor] = ContextVar("acting", default=THE_GATEWAY)


def current_actor() -> Actor:
    """Return who acts."""
    return _acting.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Let `actor` be who acts."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)
