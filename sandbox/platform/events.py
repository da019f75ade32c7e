"""What the supervisor has to say, for whoever listens: the terminal, the waiting `up --detach`, a log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class EventKind(StrEnum):
    """What happened."""

    STEP = "step"
    READY = "ready"
    FAILED = "failed"
    DIED = "died"
    BACK = "back"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as a sentence for a person."""

    kind: EventKind
    text: str


class Listener(Protocol):
    """Takes events."""

    def __call__(self, event: Event) -> None:
        """Take one event; must not raise."""
