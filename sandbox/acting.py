"""Who has asked for what is done: the gateway's audit of administrators names the person behind the portal's certificate."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

HEADER: Final = "X-Sandbox-Actor"
_LONGEST: Final = 140  # as the gateway takes it: printable ASCII

_person: ContextVar[str | None] = ContextVar("person", default=None)


def note_person(name: str | None) -> None:
    """Let what follows in this thread of work be done for a person, or (None) for nobody in particular."""
    _person.set(name)


def actor_headers() -> dict[str, str]:
    """Return what tells the gateway for whom something is changed."""
    name = _person.get()
    written = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in name or "")
    return {HEADER: written[:_LONGEST]} if written else {}
