"""Audit records in the gateway's database: each arrives once, and is read in the order of the log."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, literal, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from chassis.sql.database import for_reading
from gateway.audit.reader import Cursor, Page
from gateway.audit.row import indexed
from gateway.tables.audit import audit_places, audit_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine

    from gateway.audit.reader import AuditFilter
    from gateway.audit.row import AuditRow

_FIRST_PAGE, _PAGE = 200, 1_000
_table: Final = audit_records.c
_PLACE: Final = (_table.ts, _table.request_id, _table.number)


class Overtaken(RuntimeError):
    """Somebody else has shipped from this place meanwhile; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A file was read from one place to another."""

    file: str
    start: int
    end: int


class SqlAuditRecords:
    """Records and places, on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)
        dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
        self._insert = dialect.insert(audit_records).on_conflict_do_nothing(index_elements=["key"])
        self._begin = dialect.insert(audit_places).on_conflict_do_nothing(index_elements=["file"])

    def places(self) -> dict[str, int]:
        """Return how far each file has been shipped."""
        with self._reading.connect() as connection:
            return _places(connection)

    def take(self, rows: Sequence[AuditRow], moves: Sequence[Move], at: datetime) -> None:
        """Keep records, and that their files were read so far: both or neither. Raises `Overtaken`."""
        with self._engine.begin() as connection:
            for move in sorted(moves, key=lambda each: each.file):
                self._move(connection, move, at.timestamp())
            if rows:
                connection.execute(self._insert, rows)

    def _move(self, connection: Connection, move: Move, at: float) -> None:
        if move.start == 0:
            connection.execute(self._begin.values(file=move.file, read_to=0, at=at))
        is_there = (audit_places.c.file == move.file) & (audit_places.c.read_to == move.start)
        if connection.execute(update(audit_places).where(is_there).values(read_to=move.end, at=at)).rowcount != 1:
            raise Overtaken(move.file)

    def forget(self, files: Sequence[str]) -> None:
        """Drop the places of files that are gone."""
        with self._engine.begin() as connection:
            connection.execute(delete(audit_places).where(audit_places.c.file.in_(files)))

    def prune(self, *, before: str, most: int, batch: int) -> int:
        """Delete up to `batch` records that are older than `before`, or more than `most`; returns how many went."""
        with self._engine.begin() as connection:
            newest = connection.execute(select(func.max(_table.number))).scalar_one() or 0
            too_many = select(_table.number).where(_table.number <= newest - most).order_by(_table.number).limit(batch)
            gone = connection.execute(delete(audit_records).where(_table.number.in_(too_many))).rowcount
            too_old = select(_table.number).where(_table.ts < before).order_by(*_PLACE).limit(batch - gone)
            return gone + connection.execute(delete(audit_records).where(_table.number.in_(too_old))).rowcount

    @contextmanager
    def opened(self) -> Iterator[OpenedRecords]:
        """Open what has been shipped by now: places and records of one state of the database."""
        with self._reading.connect() as connection:
            yield OpenedRecords(connection)


class OpenedRecords:
    """One state of the shipped records."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._places = _places(connection)

    @property
    def places(self) -> Mapping[str, int]:
        """How far each file has been shipped."""
        return self._places

    def streams(self, wanted: AuditFilter) -> list[Iterator[Page]]:
        """Return the records among which those wanted are, newest first: streams without a record in common.

        Of what is wanted one thing is looked up in an index; for the others the page is looked through, within its budget.
        """
        if wanted.request_id is not None:
            return [self._pages(wanted, _table.key == wanted.request_id)]
        if wanted.certificate is not None:
            tls, seal = _table.certificate == wanted.certificate, _table.seal == wanted.certificate
            return [
                self._pages(wanted, tls),
                self._pages(wanted, seal & _table.certificate.is_distinct_from(wanted.certificate)),
            ]
        if wanted.tpp is not None:
            return [self._pages(wanted, _table.tpp == indexed(wanted.tpp))]
        if wanted.reason is not None:
            return [self._pages(wanted, _table.reason == indexed(wanted.reason))]
        return [self._pages(wanted)]

    def _pages(self, wanted: AuditFilter, *where: ColumnElement[bool]) -> Iterator[Page]:
        query = select(*_PLACE, _table.record).where(*where).order_by(*(column.desc() for column in _PLACE))
        if wanted.since is not None:
            query = query.where(_pair() > _values(*wanted.since))
        if wanted.before is not None:
            query = query.where(_pair() < _values(*wanted.before))
        size, rest = _FIRST_PAGE, query
        while True:
            rows = self._connection.execute(rest.limit(size)).all()
            is_last = len(rows) < size
            yield Page([row.record.encode() for row in rows], reached=None if is_last else Cursor(*rows[-1][:2]))
            if is_last:
                return
            size, rest = _PAGE, query.where(tuple_(*_PLACE) < _values(*rows[-1][:3]))


def _places(connection: Connection) -> dict[str, int]:
    return {row.file: row.read_to for row in connection.execute(select(audit_places))}


def _pair() -> ColumnElement[Any]:
    return tuple_(_table.ts, _table.request_id)


def _values(*values: str | int) -> ColumnElement[Any]:
    return tuple_(*map(literal, values))
