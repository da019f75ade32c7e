"""What steers the sandbox, as it is answered (docs/architecture.md §3.6)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from bank_backend.faults.model import FaultKind  # noqa: TC001 - pydantic reads it
from bank_backend.notifications.model import State  # noqa: TC001 - as above
from bank_backend.openapi.shapes.base import Amount, Currency, Day, Moment, Shape


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


class Clock(Shape):
    """A tenant's clock beside the real one."""

    now: Moment
    real_time: Moment
    ahead_seconds: int


class MovedClock(Clock):
    """A clock that was moved, and what was done because it was due."""

    tasks_run: int


class Fault(Shape):
    """A fault, and how often it has struck."""

    id: str
    created_at: Moment
    method: str
    path: str
    kind: FaultKind
    milliseconds: int | None = None
    status: int | None = None
    code: str | None = None
    text: str | None = None
    reason: str | None = None
    rate: float
    calls: int | None = Field(description="For how many calls; null: until it is cleared.")
    calls_left: int | None
    matched: int
    struck: int


class Faults(Shape):
    """The faults that are set."""

    faults: list[Fault]


class Cleared(Shape):
    """How many faults were cleared."""

    cleared: int


class Snapshot(Shape):
    """A snapshot of a tenant."""

    name: str
    taken_at: Moment
    clock: Moment = Field(description="The tenant's time in it.")
    rows: int
    bytes: int


class Snapshots(Shape):
    """The tenant's snapshots."""

    snapshots: list[Snapshot]


class Restored(Shape):
    """What the return to a snapshot came to."""

    snapshot: str
    rows_removed: int
    rows_written: int
    clock: Moment


class HeldAccount(Shape):
    """An account of a persona; a card has a number in the place of an IBAN."""

    id: str
    iban: str | None = None
    pan: str | None = None
    masked_pan: str | None = None
    currency: Currency


class Persona(Shape):
    """Somebody who banks here."""

    psu: str
    name: str
    purpose: str
    password: str
    accounts: list[HeldAccount]


class Data(Shape):
    """Who banks in the tenant."""

    tenant: str
    personas: list[Persona]


class Generated(Shape):
    """Who was made."""

    personas: list[Persona]
    transactions: int


class Taken(Shape):
    """What a tenant has now."""

    psus: int
    accounts: int
    transactions: int
    rows_removed: int
    rows_written: int


class IncomingPayment(Shape):
    """Money that has arrived from another bank, as the account has it."""

    transaction_id: str
    booking_date: Day
    value_date: Day
    credited_amount: Amount


class ScheduledTask(Shape):
    """What is done by itself at a moment of the tenant's time; what has failed tells why and when it is tried again."""

    kind: str
    resource: str
    due: Moment
    failures: int | None = None
    error: str | None = None
    retry_at: Moment | None = None


class Schedule(Shape):
    """What the bank will do by itself: up to 500 tasks, the next one first."""

    tasks: list[ScheduledTask]


class DataDocument(BaseModel):
    """Test data as a document: docs/test-data.md describes its lines."""

    model_config = ConfigDict(extra="allow")
