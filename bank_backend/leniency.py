"""What the bank in hand forgives in a body, and what it has forgiven: a value of the request, not of the process."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final


@dataclass(slots=True, kw_only=True)
class Leniency:
    """One request's: `ignored` are the paths of fields that were left out, for the answer's warnings."""

    ignores_unknown_fields: bool = False
    ignored: list[str] = field(default_factory=list)


_IN_HAND: Final[ContextVar[Leniency | None]] = ContextVar("leniency", default=None)


def begin_leniency(leniency: Leniency) -> None:
    """Let the bodies of the request in hand be read like this."""
    _IN_HAND.set(leniency)


def leniency_in_hand() -> Leniency:
    """Return that of the request in hand; one that forgives nothing where none was begun."""
    return _IN_HAND.get() or Leniency()
