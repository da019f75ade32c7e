"""Keeping a tenant's whole state under a name, and putting it back."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from bank_backend.bulk_rows import nothing_collected
from bank_backend.database import one_at_a_time
from bank_backend.snapshots.content import packed, unpacked
from bank_backend.snapshots.errors import SnapshotExists, SnapshotUnknown, TooManySnapshots
from bank_backend.snapshots.model import MOST_SNAPSHOTS, Replaced, ReplacementKind, Snapshot, require_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.database import Connection, Database
    from bank_backend.snapshots.model import TenantState
    from bank_backend.tenants.clock import TenantClock
    from psd2.clock import Clock
    from psd2.ids import TenantId


class StateStore(Protocol):
    """Where the state of tenants lives; each call works inside the caller's transaction."""

    def read(self, connection: Connection, tenant: TenantId) -> TenantState:
        """Return everything that belongs to the tenant."""

    def replace(
        self,
        connection: Connection,
        tenant: TenantId,
        state: TenantState,
        *,
        kind: ReplacementKind,
        source: str,
        at: datetime,
    ) -> tuple[int, int]:
        """Put a state in the place of the tenant's; returns how many rows were removed and written."""


class SnapshotStore(Protocol):
    """Where snapshots are kept; each call works inside the caller's transaction."""

    def all(self, connection: Connection, tenant: TenantId) -> Sequence[Snapshot]:
        """Return the tenant's snapshots, the oldest first."""

    def add(self, connection: Connection, tenant: TenantId, snapshot: Snapshot, content: bytes) -> None:
        """Keep a snapshot."""

    def content(self, connection: Connection, tenant: TenantId, name: str) -> bytes | None:
        """Return what was kept under a name, or None."""

    def remove(self, connection: Connection, tenant: TenantId, name: str) -> bool:
        """Forget a snapshot; False where there is none of this name."""

    def set_clock(self, connection: Connection, tenant: TenantId, ahead: timedelta) -> None:
        """Put the tenant's clock to so far ahead of the real time, which may be behind it."""


class Snapshots:
    """The snapshots of every tenant; each question names the tenant it is about."""

    def __init__(
        self, *, database: Database, states: StateStore, store: SnapshotStore, clock: TenantClock, real: Clock
    ) -> None:
        """Keep in `store` what `states` reads; `real` is the time by which snapshots are listed."""
        self._database = database
        self._states = states
        self._store = store
        self._clock = clock
        self._real = real

    def all(self, tenant: TenantId) -> Sequence[Snapshot]:
        """Return the tenant's snapshots, the oldest first."""
        with self._database.reading() as connection:
            return self._store.all(connection, tenant)

    def one(self, tenant: TenantId, name: str) -> Snapshot:
        """Return one of them; raises `SnapshotUnknown`."""
        found = next((one for one in self.all(tenant) if one.name == name), None)
        if found is None:
            raise _unknown(name)
        return found

    def take(self, tenant: TenantId, name: str) -> Snapshot:
        """Keep the tenant's state as it is; raises `FieldsInvalid`, `SnapshotExists`, `TooManySnapshots`."""
        require_name(name)
        self._require_room(self.all(tenant), name)
        # One reading transaction sees one state, and nobody waits for it.
        with nothing_collected(), self._database.reading() as connection:
            snapshot, content = self._packed(connection, tenant, name)
        with self._database.writing() as connection:
            one_at_a_time(connection, "snapshots", tenant)
            self._require_room(self._store.all(connection, tenant), name)
            self._store.add(connection, tenant, snapshot, content)
        return snapshot

    def _packed(self, connection: Connection, tenant: TenantId, name: str) -> tuple[Snapshot, bytes]:
        state, tenant_time = self._states.read(connection, tenant), self._clock.now(tenant, connection)
        content = packed(state)
        taken_at = self._real.now()
        return Snapshot(name=name, taken_at=taken_at, tenant_time=tenant_time, rows=state.size, bytes=len(content)), content

    def restore(self, tenant: TenantId, name: str) -> Replaced:
        """Put everything back as it was, the clock included; raises `SnapshotUnknown`, `SnapshotOutdated`."""
        with self._database.reading() as connection:
            content = self._store.content(connection, tenant, name)
        if content is None:
            raise _unknown(name)
        time = self.one(tenant, name).tenant_time
        with nothing_collected():
            return self.put(tenant, unpacked(content), kind=ReplacementKind.RESTORE, source=name, tenant_time=time)

    def put(
        self, tenant: TenantId, state: TenantState, *, kind: ReplacementKind, source: str, tenant_time: datetime | None
    ) -> Replaced:
        """Put `state` in the place of the tenant's; its clock then shows `tenant_time`, or goes on (None)."""
        with self._database.replacing() as connection:
            real = self._real.now()
            at = tenant_time or self._clock.now(tenant, connection)
            removed, written = self._states.replace(connection, tenant, state, kind=kind, source=source, at=real)
            # Rounded up: nothing that was there then may be in the future.
            self._store.set_clock(connection, tenant, timedelta(seconds=math.ceil((at - real).total_seconds())))
            return Replaced(removed=removed, written=written, tenant_time=self._clock.now(tenant, connection))

    def delete(self, tenant: TenantId, name: str) -> None:
        """Forget a snapshot; raises `SnapshotUnknown`."""
        with self._database.writing() as connection:
            if not self._store.remove(connection, tenant, name):
                raise _unknown(name)

    def _require_room(self, present: Sequence[Snapshot], name: str) -> None:
        if any(one.name == name for one in present):
            raise SnapshotExists(f"there is a snapshot {name!r}: choose another name, or delete it first", path="name")
        if len(present) >= MOST_SNAPSHOTS:
            raise TooManySnapshots(f"{len(present)} snapshots are kept, which is the most: delete one first")


def _unknown(name: str) -> SnapshotUnknown:
    return SnapshotUnknown(f"there is no snapshot {name[:64]!r}: GET …/snapshots lists those there are")
