"""Keeps backchannel requests in the gateway's database; each method is one transaction."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from chassis.sql.database import for_reading
from gateway.oauth.ciba.model import INTERVAL_SECONDS, BackchannelRequest, PolledTooSoon
from gateway.tables.oauth import backchannel_requests as requests

if TYPE_CHECKING:
    from sqlalchemy import Engine, Row


class SqlBackchannelStore:
    """Backchannel requests on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)

    def add(self, request: BackchannelRequest) -> None:
        """Keep a request."""
        with self._engine.begin() as connection:
            connection.execute(insert(requests).values(**_values(request)))

    def find(self, sha256: str) -> BackchannelRequest | None:
        """Return the request, or None."""
        with self._reading.connect() as connection:
            row = connection.execute(select(requests).where(requests.c.sha256 == sha256)).one_or_none()
        return _request(row) if row else None

    def note_poll(self, request: BackchannelRequest, now: datetime) -> None:
        """Note a poll; raises `PolledTooSoon`, and lets the interval grow, within it."""
        mine = requests.c.sha256 == request.sha256
        # One statement decides: of two polls at the same instant, on whatever process, one comes too soon.
        due = requests.c.polled_at.is_(None) | (requests.c.polled_at <= now.timestamp() - requests.c.interval)
        with self._engine.begin() as connection:
            if connection.execute(update(requests).where(mine & due).values(polled_at=now.timestamp())).rowcount:
                return
            longer = requests.c.interval + INTERVAL_SECONDS
            connection.execute(update(requests).where(mine).values(polled_at=now.timestamp(), interval=longer))
        raise PolledTooSoon

    def due_for_ping(self, now: datetime, *, most: int, most_each: int) -> list[BackchannelRequest]:
        """Return requests whose clients may have to be told, those that have waited longest first, so many of each TPP."""
        place = func.row_number().over(partition_by=requests.c.authorisation_number, order_by=requests.c.ping_at)
        due = select(requests, place.label("place")).where(requests.c.ping_at <= now.timestamp()).subquery()
        first = select(due).where(due.c.place <= most_each).order_by(due.c.ping_at).limit(most)
        with self._reading.connect() as connection:
            return [_request(row) for row in connection.execute(first)]

    def moved_ping(self, request: BackchannelRequest, *, to: datetime, pings: int) -> BackchannelRequest | None:
        """Let nobody look at it until then, and return it so; None where somebody else has moved it meanwhile."""
        if request.ping_at is None:
            return None
        mine = (requests.c.sha256 == request.sha256) & (requests.c.ping_at == request.ping_at.timestamp())
        with self._engine.begin() as connection:
            moved = connection.execute(update(requests).where(mine).values(ping_at=to.timestamp(), pings=pings)).rowcount
        return replace(request, ping_at=to, pings=pings) if moved else None

    def end_pings(self, request: BackchannelRequest) -> None:
        """Tell its client no more, and forget what it was told."""
        with self._engine.begin() as connection:
            connection.execute(update(requests).where(requests.c.sha256 == request.sha256).values(ping=None, ping_at=None))

    def prune(self, before: datetime, batch: int) -> int:
        """Delete up to `batch` requests that expired before `before`; returns how many went."""
        old = requests.c.expires_at < before.timestamp()
        expired = select(requests.c.sha256).where(old).limit(batch).with_for_update(skip_locked=True)
        with self._engine.begin() as connection:
            return connection.execute(delete(requests).where(requests.c.sha256.in_(expired))).rowcount


def _values(request: BackchannelRequest) -> dict[str, Any]:
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in asdict(request).items()}


def _request(row: Row[Any]) -> BackchannelRequest:
    return BackchannelRequest(**{each.name: _read(each.name, getattr(row, each.name)) for each in fields(BackchannelRequest)})


def _read(name: str, value: Any) -> Any:  # noqa: ANN401 - a column's value
    return datetime.fromtimestamp(value, UTC) if name.endswith("_at") and value is not None else value
