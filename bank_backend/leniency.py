"""What the bank in hand forgives a request, and what it has forgiven: a value of the request, not of the process.

Where none was begun nothing is forgiven, so that forgetting it closes doors instead of opening them.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final


@dataclass(slots=True, kw_only=True)
class Leniency:
    """One request's: `ignored` are the paths of fields that were left out, for the answer's warnings.

    `waives_token`: a request that presents no access token may go by its consent alone.
    """

    ignores_unknown_fields: bool = False
    waives_token: bool = False
    ignored: list[str] = field(default_factory=list)


_IN_HAND: Final[ContextVar[Leniency | None]] = ContextVar("leniency", default=None)


def begin_leniency(leniency: Leniency | None) -> None:
    """Let the request in hand be read like this; None ends it."""
    _IN_HAND.set(leniency)


def leniency_in_hand() -> Leniency:
    """Return that of the request in hand; one that forgives nothing where none was begun."""
    return _IN_HAND.get() or Leniency()
