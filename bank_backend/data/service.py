"""A tenant's test data: made anew, made more of, taken out and brought in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from bank_backend.bulk_rows import nothing_collected
from bank_backend.data.assembly import assemble
from bank_backend.data.faulty_lines import DataFaulty, DataTooLarge, FaultyLine
from bank_backend.data.findings import Premises
from bank_backend.data.shapes import MOST_TRANSACTIONS, expected_transactions, personas_of
from bank_backend.data.size import TenantSize, require_room
from bank_backend.errors import FieldsInvalid
from bank_backend.personas.service import plan_seed
from bank_backend.snapshots.model import ReplacementKind
from bank_backend.tenants.model import Registration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from bank_backend.data.export_store import Lines
    from bank_backend.data.reading import Numbered
    from bank_backend.data.shapes import Shape
    from bank_backend.database import Connection, Database
    from bank_backend.personas.bookmark import Bookmark
    from bank_backend.personas.service import Seed
    from bank_backend.tenants.clock import TenantClock
    from bank_backend.tenants.service import Planner, TenantRegistry
    from psd2.clock import Clock
    from psd2.ids import AccountId, TenantId


class DataStore(Protocol):
    """Where test data live; each call works inside the caller's transaction."""

    def replace(
        self, connection: Connection, tenant: TenantId, seed: Seed, *, kind: ReplacementKind, source: str, at: datetime
    ) -> tuple[int, int]:
        """Put a seed in the place of everything the tenant has; returns how many rows were removed and written."""

    def bookmark(self, connection: Connection, tenant: TenantId) -> Bookmark | None:
        """Return where the tenant's story can be gone on from, or None."""

    def go_on(self, connection: Connection, tenant: TenantId, seed: Seed, *, source: str, at: datetime) -> tuple[int, int]:
        """Turn the books back to where the seed goes on from, and write what it adds; counts as `replace`."""

    def add(self, connection: Connection, tenant: TenantId, seed: Seed) -> None:
        """Write a seed beside what the tenant has."""

    def size(self, connection: Connection, tenant: TenantId) -> TenantSize:
        """Return how much the tenant holds."""

    def set_seed(self, connection: Connection, tenant: TenantId, number: int) -> None:
        """Remember by which seed the tenant was made."""

    def logins(self, connection: Connection, tenant: TenantId) -> set[str]:
        """Return who there is already."""

    def taken_elsewhere(self, connection: Connection, tenant: TenantId, ids: Collection[str]) -> set[str]:
        """Return which ids of movements another tenant has."""

    def lines(self, connection: Connection, tenant: TenantId) -> Lines:
        """Return the tenant's data as lines."""


class ClockSetter(Protocol):
    """Puts a tenant's clock back to the real time."""

    def set_clock(self, connection: Connection, tenant: TenantId, ahead: timedelta) -> None:
        """Put the tenant's clock to so far ahead of the real time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataParts:
    """What the service works with."""

    database: Database
    store: DataStore
    tenants: TenantRegistry
    planner: Planner
    clock: TenantClock
    clocks: ClockSetter
    real: Clock
    own_account: Callable[[TenantId, str], AccountId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was brought in, or made: how many of each, and how many rows that removed and wrote."""

    psus: int
    accounts: int
    transactions: int
    removed: int
    written: int


class TestBank:
    """The test data of every tenant; each question names the tenant it is about."""

    def __init__(self, parts: DataParts) -> None:
        """Work with these."""
        self._parts = parts

    def reset(self, tenant: TenantId, *, seed: int | None = None) -> Taken:
        """Make the tenant as if it were registered now: everything else ends, and its clock shows the real time.

        Where the books still begin with what the seed told earlier this month, that stays, and the story goes on from there.
        """
        with nothing_collected():
            return self._reset(tenant, seed)

    def _reset(self, tenant: TenantId, seed: int | None) -> Taken:
        parts, known, now = self._parts, self._parts.tenants.tenant(tenant), self._parts.real.now()
        number = known.seed if seed is None else seed
        registration = Registration(tenant=tenant, name=known.name, country=known.country, roles=known.roles, seed=number)
        with parts.database.reading() as connection:
            before = parts.store.bookmark(connection, tenant)
        planned = parts.planner(registration, number, now, after=before)
        if planned.after is not None:
            done = self._gone_on(tenant, planned, now)
            if done is not None:
                return done
            planned = parts.planner(registration, number, now)
        return self._made_anew(tenant, planned, number, now)

    def _gone_on(self, tenant: TenantId, planned: Seed, now: datetime) -> Taken | None:
        """Go on from the bookmark; None, and nothing has happened, where another one is there by now."""
        parts = self._parts
        with parts.database.replacing() as connection:
            if parts.store.bookmark(connection, tenant) != planned.after:
                return None
            counts = parts.store.go_on(connection, tenant, planned, source=_source(planned), at=now)
            parts.clocks.set_clock(connection, tenant, timedelta())
        return _taken(planned, counts)

    def _made_anew(self, tenant: TenantId, planned: Seed, number: int, now: datetime) -> Taken:
        parts = self._parts
        with parts.database.replacing() as connection:
            source = _source(planned)
            counts = parts.store.replace(connection, tenant, planned, kind=ReplacementKind.RESET, source=source, at=now)
            parts.store.set_seed(connection, tenant, number)
            parts.clocks.set_clock(connection, tenant, timedelta())
        return _taken(planned, counts)

    def generate(self, tenant: TenantId, shape: Shape) -> Seed:
        """Add people of a shape to those there are; raises `FieldsInvalid`, `DataTooLarge`."""
        parts = self._parts
        personas = personas_of(shape)
        expected = expected_transactions(personas, shape.months)
        if expected > MOST_TRANSACTIONS:
            raise DataTooLarge(f"that makes about {expected} transactions: at most {MOST_TRANSACTIONS} are made at once")
        with parts.database.reading() as connection:
            self.require_room(connection, tenant, accounts=0, transactions=expected)
        planned = plan_seed(
            tenant,
            country=shape.country,
            seed=shape.seed,
            now=parts.clock.now(tenant),
            settlement=parts.own_account,
            personas=personas,
            months=shape.months,
        )
        password = parts.tenants.tenant(tenant).persona_password
        with nothing_collected(), parts.database.replacing() as connection:
            present = parts.store.logins(connection, tenant) & {psu.id for psu in planned.psus}
            if present:
                reason = f"has made {min(present)} already, as the same shape: choose another number"
                raise FieldsInvalid({"seed": reason})
            made = len(planned.journal.entries) + len(planned.holds)
            self.require_room(connection, tenant, accounts=len(planned.accounts), transactions=made)
            parts.store.add(connection, tenant, replace(planned, password=password, bookmark=None))
        return planned

    def require_room(self, connection: Connection, tenant: TenantId, *, accounts: int = 0, transactions: int) -> None:
        """Raise `DataTooLarge` where so many more would be more than one tenant may hold of the bank that all share."""
        require_room(self._parts.store.size(connection, tenant), TenantSize(accounts=accounts, transactions=transactions))

    def lines(self, tenant: TenantId) -> Lines:
        """Return the tenant's people, accounts, movements and balances, all of one moment."""
        with nothing_collected(), self._parts.database.reading() as connection:
            return self._parts.store.lines(connection, tenant)

    def take(self, tenant: TenantId, lines: Numbered) -> Taken:
        """Put data in the place of everything the tenant has; raises `DataFaulty`, and then nothing has changed.

        Consents, payments and all else ends; the clock goes on.
        """
        parts, known = self._parts, self._parts.tenants.tenant(tenant)
        now = parts.clock.now(tenant)
        premises = Premises(tenant=tenant, now=now, password=known.persona_password, own_account=parts.own_account)
        with nothing_collected():
            seed = assemble(lines, premises)
            with parts.database.replacing() as connection:
                self._require_free(connection, tenant, seed, lines)
                counts = parts.store.replace(
                    connection, tenant, seed, kind=ReplacementKind.IMPORT, source="lines", at=parts.real.now()
                )
        return _taken(seed, counts)

    def _require_free(self, connection: Connection, tenant: TenantId, seed: Seed, lines: Numbered) -> None:
        """Raise `DataFaulty` for ids that can't be given: another one has them, and says nothing of itself."""
        ids = {entry.id for entry in seed.journal.entries} | {hold.id for hold in seed.holds}
        taken = self._parts.store.taken_elsewhere(connection, tenant, ids)
        if taken:
            text = "can't be given here: leave the column out, and the bank gives ids of its own"
            faults = [FaultyLine("transactions", number, "id", text) for number, line in lines.transactions if line.id in taken]
            raise DataFaulty(faults)


def _source(seed: Seed) -> str:
    number = "" if seed.bookmark is None else f" {seed.bookmark.seed}"
    return f"seed{number} of {seed.planned_at.date().isoformat()}"


def _taken(seed: Seed, counts: tuple[int, int]) -> Taken:
    return Taken(
        psus=len(seed.psus),
        accounts=len(seed.accounts),
        transactions=seed.transactions,
        removed=counts[0],
        written=counts[1],
    )
