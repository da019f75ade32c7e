"""What the gateway has acknowledged so far, by digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from chassis.sql.database import for_reading
from sandbox.database import deliveries

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from psd2.clock import Clock


class SqlDeliveries:
    """Acknowledged deliveries in SQL."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        """Read and write through this engine."""
        self._engine = engine
        self._reading = for_reading(engine)
        self._clock = clock
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def acknowledged(self, subject: str) -> str | None:
        """Return the digest of what was delivered last."""
        with self._reading.connect() as connection:
            return connection.execute(select(deliveries.c.sha256).where(deliveries.c.subject == subject)).scalar_one_or_none()

    def acknowledge(self, subject: str, sha256: str) -> None:
        """Note that the gateway has taken it."""
        values = {"sha256": sha256, "delivered_at": self._clock.now().timestamp()}
        # In one statement: the portal and the `sandbox` command may deliver at the same moment.
        noted = self._insert(deliveries).values(subject=subject, **values)
        with self._engine.begin() as connection:
            connection.execute(noted.on_conflict_do_update(index_elements=["subject"], set_=values))
