"""What steers the sandbox, as it is answered (docs/architecture.md §3.6)."""

from __future__ import annotations

from bank_backend.openapi.shapes.base import Moment, Shape


class Message(Shape):
    """A message to a PSU."""

    at: Moment
    psu: str
    channel: str
    subject: str
    text: str


class Inbox(Shape):
    """Messages to PSUs, newest first."""

    messages: list[Message]
