"""The addresses that are blocked, as the change feed tells of them; an operator lifts a block by telling of its end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.admin_audit.record import Entry
from gateway.admin_audit.store import append_record
from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change, changing, keys_since
from gateway.limits.announcements import announced, read_announcement

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from psd2.clock import Clock


class NotBlocked(LookupError):
    """An address that nobody blocks."""


class Blocks:
    """What stands in the feed, no longer ago than a block lasts."""

    def __init__(self, engine: Engine, clock: Clock, *, block_seconds: float) -> None:
        """Read from `engine`."""
        self._engine = engine
        self._clock = clock
        self._block_seconds = block_seconds

    def standing(self) -> dict[str, float]:
        """Return until when each address is blocked; epoch seconds."""
        now = self._clock.now()
        keys = keys_since(self._engine, ChangeKind.BLOCKED_ADDRESS, now - timedelta(seconds=self._block_seconds))
        latest = dict(read_announcement(key) for key in keys)
        return {address: until for address, until in latest.items() if until > now.timestamp()}

    def lift(self, address: str) -> None:
        """Let an address in again, on every worker; raises `NotBlocked`."""
        if address not in self.standing():
            raise NotBlocked(f"{address} is not blocked")
        at = self._clock.now()
        with changing(self._engine) as connection:
            entry = Entry(action="deleted", object_kind="blocked-addresses", object_name=address, difference=[])
            append_record(connection, entry, at)
            append_change(connection, ChangeKind.BLOCKED_ADDRESS, announced(address, 0), at)
