"""What the operator sees of the platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHealth:
    """One server: what is wrong with it, None where nothing is. `pid` and `restarts` are known where a supervisor runs it."""

    name: str
    complaint: str | None
    milliseconds: float | None = None
    pid: int | None = None
    restarts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCertificate:
    """A certificate that a server or an authority of the platform uses; `name` is its file below `certs/`."""

    name: str
    subject: str
    not_after: datetime
    days_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """A revocation list as it is published."""

    authority: str
    number: int
    entries: int
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """Something that the gateway has to be told, and whether it has taken it as it is now."""

    what: str
    is_taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformHealth:
    """All of it; `started_at` (ISO 8601) is known where a supervisor runs here."""

    version: str
    started_at: str | None
    servers: Sequence[ServerHealth]
    certificates: Sequence[FileCertificate]
    lists: Sequence[ListState]
    deliveries: Sequence[DeliveryState]
