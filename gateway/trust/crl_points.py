"""Where revocation lists are fetched from: addresses that operators and certificates name, and how the last try went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chassis.sql.database import for_reading
from gateway.tables.trust import crl_points
from gateway.trust.authorities import extension_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Engine

# Of one store: whoever may issue certificates could name a new address in each.
MOST_POINTS: Final = 50
_MOST_OF_A_CERTIFICATE: Final = 4
_MOST_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class Point:
    """One address of one store; times are epoch seconds."""

    store: str
    url: str
    due_at: float
    tried_at: float | None
    taken_at: float | None
    etag: str | None
    failure: str | None


def points_of(certificate: x509.Certificate) -> list[str]:
    """Return the addresses where a certificate says that its issuer's list is (RFC 5280 §4.2.1.13)."""
    named = extension_of(certificate, x509.CRLDistributionPoints) or ()
    names = [
        name.value
        for point in named
        # A list for some reasons only, or of another issuer, is none that could stand alone.
        if point.reasons is None and point.crl_issuer is None
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    ]
    fetchable = [name for name in names if name.startswith(("http://", "https://")) and len(name) <= _MOST_CHARACTERS]
    return fetchable[:_MOST_OF_A_CERTIFICATE]


class SqlCrlPoints:
    """Addresses on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)

    def of_store(self, store: str) -> Sequence[Point]:
        """Return a store's addresses."""
        with self._reading.connect() as connection:
            return [Point(**row) for row in connection.execute(_POINTS.where(crl_points.c.store == store)).mappings()]

    def due(self, now: datetime) -> Sequence[Point]:
        """Return the addresses whose time has come."""
        query = _POINTS.where(crl_points.c.due_at <= now.timestamp()).order_by(crl_points.c.due_at)
        with self._reading.connect() as connection:
            return [Point(**row) for row in connection.execute(query).mappings()]

    def name(self, store: str, urls: Iterable[str], now: datetime) -> None:
        """Note addresses, to be fetched from at once; those beyond `MOST_POINTS` are left out."""
        known = {point.url for point in self.of_store(store)}
        for url in urls:
            if url in known or len(known) >= MOST_POINTS:
                continue
            known.add(url)
            try:
                with self._engine.begin() as connection:
                    seconds = now.timestamp()
                    connection.execute(insert(crl_points).values(store=store, url=url, named_at=seconds, due_at=seconds))
            except IntegrityError:
                continue  # another process was faster

    def is_claimed(self, point: Point, *, until: datetime, now: datetime) -> bool:
        """Take on the fetching; tell whether nobody else has."""
        with self._engine.begin() as connection:
            place = _place(point) & (crl_points.c.due_at == point.due_at)
            values = {"due_at": until.timestamp(), "tried_at": now.timestamp()}
            return connection.execute(update(crl_points).where(place).values(**values)).rowcount == 1

    def note_taken(self, point: Point, *, etag: str | None, due_at: datetime, now: datetime) -> None:
        """Note that the list is in force, and when to look again."""
        values = {"due_at": due_at.timestamp(), "taken_at": now.timestamp(), "etag": etag, "failure": None}
        self._note(point, values)

    def note_failure(self, point: Point, failure: str, *, due_at: datetime) -> None:
        """Note why nothing came."""
        self._note(point, {"due_at": due_at.timestamp(), "failure": failure[:_MOST_CHARACTERS]})

    def drop(self, point: Point) -> None:
        """Fetch from there no more."""
        with self._engine.begin() as connection:
            connection.execute(delete(crl_points).where(_place(point)))

    def _note(self, point: Point, values: Mapping[str, object]) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(crl_points).where(_place(point)).values(**values))


def _place(point: Point) -> ColumnElement[bool]:
    return (crl_points.c.store == point.store) & (crl_points.c.url == point.url)


_POINTS: Final = select(
    crl_points.c.store,
    crl_points.c.url,
    crl_points.c.due_at,
    crl_points.c.tried_at,
    crl_points.c.taken_at,
    crl_points.c.etag,
    crl_points.c.failure,
)
