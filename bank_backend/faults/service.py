"""Setting, listing and clearing faults, and telling which of them strike a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.database import one_at_a_time
from bank_backend.faults.errors import FaultUnknown, TooManyFaults
from bank_backend.faults.model import MOST_FAULTS, FaultKind, strikes
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.database import Connection, Database
    from bank_backend.faults.model import Fault, NewFault
    from psd2.clock import Clock
    from psd2.ids import TenantId

_NO_TEXT: Final = "a fault that this TPP has set rejects the payment"


class FaultStore(Protocol):
    """Where faults are kept; each call works inside the caller's transaction."""

    def all(self, connection: Connection, tenant: TenantId) -> Sequence[Fault]:
        """Return the tenant's faults in the order in which they were set."""

    def standing(self, connection: Connection, tenant: TenantId) -> Sequence[Fault]:
        """Return those that are not spent."""

    def add(self, connection: Connection, tenant: TenantId, fault_id: str, fault: NewFault, *, at: datetime) -> Fault:
        """Set a fault, after all others."""

    def count(self, connection: Connection, fault_id: str) -> int | None:
        """Count a matching call and return its number; None where the fault was spent or cleared meanwhile."""

    def note_strike(self, connection: Connection, fault_id: str) -> None:
        """Count a strike."""

    def remove(self, connection: Connection, tenant: TenantId, fault_id: str | None) -> int:
        """Clear one fault, or all (None); returns how many."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a payment is rejected that could have been executed; `code` is ISO 20022's ExternalStatusReason1Code."""

    code: str
    text: str


class Faults:
    """The faults of every tenant; each question names the tenant it is about."""

    def __init__(self, *, database: Database, store: FaultStore, real: Clock) -> None:
        """Keep them in `store`."""
        self._database = database
        self._store = store
        self._real = real

    def all(self, tenant: TenantId) -> Sequence[Fault]:
        """Return the tenant's faults in the order in which they were set, spent ones among them."""
        with self._database.reading() as connection:
            return self._store.all(connection, tenant)

    def one(self, tenant: TenantId, fault_id: str) -> Fault:
        """Return one of them; raises `FaultUnknown`."""
        found = next((one for one in self.all(tenant) if one.id == fault_id), None)
        if found is None:
            raise _unknown(fault_id)
        return found

    def add(self, tenant: TenantId, fault: NewFault) -> Fault:
        """Set a fault: it is in force with the next call; raises `TooManyFaults`."""
        with self._database.writing() as connection:
            one_at_a_time(connection, "faults", tenant)
            if len(self._store.all(connection, tenant)) >= MOST_FAULTS:
                raise TooManyFaults(f"{MOST_FAULTS} faults are set, which is the most: clear some first")
            return self._store.add(connection, tenant, new_uuid(), fault, at=self._real.now())

    def clear(self, tenant: TenantId, fault_id: str | None = None) -> int:
        """Clear one fault, or all (None), and return how many; raises `FaultUnknown`."""
        with self._database.writing() as connection:
            cleared = self._store.remove(connection, tenant, fault_id)
        if fault_id is not None and not cleared:
            raise _unknown(fault_id)
        return cleared

    def striking(self, tenant: TenantId, method: str, path: str) -> list[Fault]:
        """Return the faults that strike this call, and count it for those it matches; none after one that answers itself."""
        with self._database.reading() as connection:
            standing = self._store.standing(connection, tenant)
        matching = [one for one in standing if one.kind is not FaultKind.REJECT_PAYMENT and one.matches(method, path)]
        if not matching:
            return []
        with self._database.writing() as connection:
            return self._counted(connection, matching)

    def rejection(self, connection: Connection, tenant: TenantId, *, path: str) -> Rejection | None:
        """Return why a payment that was initiated at `path` is to be rejected, or None.

        Counted in the caller's transaction: a rejection that is rolled back was none.
        """
        standing = self._store.standing(connection, tenant)
        matching = [one for one in standing if one.kind is FaultKind.REJECT_PAYMENT and one.matches("POST", path)]
        struck = self._counted(connection, matching)
        return Rejection(struck[0].effect.reason, struck[0].effect.text or _NO_TEXT) if struck else None

    def _counted(self, connection: Connection, matching: Sequence[Fault]) -> list[Fault]:
        struck: list[Fault] = []
        for fault in matching:
            number = self._store.count(connection, fault.id)
            if number is not None and strikes(fault.rate, number):
                self._store.note_strike(connection, fault.id)
                struck.append(fault)
                if fault.kind is not FaultKind.LATENCY:
                    break
        return struck


def _unknown(fault_id: str) -> FaultUnknown:
    return FaultUnknown(f"there is no fault {fault_id[:40]!r}: GET …/faults lists those there are")
