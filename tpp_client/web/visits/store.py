"""Keeps visits, sealed, bounded in number and age. What is kept may be lost: a PSU then connects anew.

Hence one table without migrations; another shape of row would be another table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, Float, LargeBinary, MetaData, String, Table, delete, func, insert, select, update

from chassis.sql.database import for_reading
from tpp_client.web.visits.model import Visit
from tpp_client.web.visits.sealing import row_name, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from psd2.clock import Clock

_METADATA = MetaData()
_VISITS = Table(
    "visits_1",
    _METADATA,
    Column("name", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("touched_at", Float, nullable=False, index=True),
)


class VisitStore:
    """Visits by the secret in the browser's cookie."""

    def __init__(self, engine: Engine, *, clock: Clock, most: int, lifetime_seconds: float) -> None:
        """Make the table if it is missing."""
        self._engine = engine
        self._reading = for_reading(engine)
        self._clock = clock
        self._most = most
        self._lifetime_seconds = lifetime_seconds
        _METADATA.create_all(engine)

    def find(self, secret: str) -> Visit | None:
        """Return the visit, or None where nothing is remembered, or not any more."""
        with self._reading.connect() as connection:
            return self._read(connection, secret)

    def change(self, secret: str, change: Callable[[Visit], Visit]) -> Visit:
        """Change a visit, or begin one, while nobody else does; return it as it stands then."""
        with self._engine.begin() as connection:
            visit = change(self._read(connection, secret, locked=True) or Visit())
            self._write(connection, secret, visit)
            return visit

    def move(self, secret: str, *, to: str) -> None:
        """Keep a visit under another secret from now on: what was known before opens it no longer."""
        with self._engine.begin() as connection:
            visit = self._read(connection, secret, locked=True) or Visit()
            connection.execute(delete(_VISITS).where(_VISITS.c.name == row_name(secret)))
            self._write(connection, to, visit)

    def count(self) -> int:
        """Return how many visits are kept."""
        with self._reading.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(_VISITS)).scalar_one())

    def _read(self, connection: Connection, secret: str, *, locked: bool = False) -> Visit | None:
        query = select(_VISITS.c.sealed).where(_VISITS.c.name == row_name(secret), _VISITS.c.touched_at >= self._oldest())
        sealed = connection.execute(query.with_for_update() if locked else query).scalar_one_or_none()
        return unseal(sealed, secret) if sealed is not None else None

    def _write(self, connection: Connection, secret: str, visit: Visit) -> None:
        name, now = row_name(secret), self._clock.now().timestamp()
        content = {"sealed": seal(visit, secret), "touched_at": now}
        if connection.execute(update(_VISITS).where(_VISITS.c.name == name).values(**content)).rowcount == 0:
            self._make_room(connection)
            connection.execute(insert(_VISITS).values(name=name, **content))

    def _make_room(self, connection: Connection) -> None:
        connection.execute(delete(_VISITS).where(_VISITS.c.touched_at < self._oldest()))
        kept = int(connection.execute(select(func.count()).select_from(_VISITS)).scalar_one())
        if kept >= self._most:
            idlest = select(_VISITS.c.name).order_by(_VISITS.c.touched_at).limit(kept - self._most + 1)
            connection.execute(delete(_VISITS).where(_VISITS.c.name.in_(idlest)))

    def _oldest(self) -> float:
        return self._clock.now().timestamp() - self._lifetime_seconds
