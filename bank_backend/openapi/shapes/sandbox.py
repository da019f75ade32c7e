"""What steers the sandbox, as it is answered (docs/architecture.md §3.6)."""

from __future__ import annotations

from pydantic import Field

from bank_backend.notifications.model import State  # noqa: TC001 - pydantic reads it
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


class Notification(Shape):
    """One change of status that was sent, or waits to be."""

    at: Moment
    request_id: str = Field(description="The X-Request-ID that it is sent with, at every try.")
    uri: str
    body: dict[str, object]
    state: State
    attempts: int
    outcome: str | None = Field(None, description="What became of the last try.")
    next_attempt_at: Moment | None = None


class RefusedWatch(Shape):
    """A resource whose changes are not sent, because the address is none that may be called."""

    resource: str
    uri: str
    reason: str


class Notifications(Shape):
    """The last 200 notifications, newest first, and the resources without any."""

    notifications: list[Notification]
    refused: list[RefusedWatch]
