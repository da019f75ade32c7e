"""Keeps documents in the gateway's database: what stands, and every version that stood before."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import delete, func, insert, select, tuple_

from chassis.sql.database import for_reading
from gateway.admin_audit.store import append_records
from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change, changing
from gateway.configuration.sealing import NOTHING_SEALED
from gateway.configuration.versions import Origin, Version
from gateway.tables.configuration import document_versions, documents
from gateway.tables.trust import trust_certificates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine, Row

    from gateway.admin_audit.record import Entry
    from gateway.configuration.held import VersionKey
    from gateway.configuration.sealing import Sealing
    from gateway.configuration.snapshot import Delivered

KEPT_VERSIONS: Final = 200
_MOST_AT_A_TIME: Final = 200
_versions = document_versions.c
_Key = TypeVar("_Key")


class SqlConfigurationStore:
    """The configuration on SQLAlchemy Core."""

    def __init__(self, engine: Engine, sealing: Sealing = NOTHING_SEALED) -> None:
        self._engine = engine
        self._reading = for_reading(engine)
        self._sealing = sealing

    @contextmanager
    def changing(self, *, dry_run: bool) -> Iterator[SqlChange]:
        """Give a change; there is one at a time. A dry run does all of it and leaves nothing."""
        with changing(self._engine) as connection:
            yield SqlChange(connection, self._sealing)
            if dry_run:
                connection.rollback()

    @contextmanager
    def reading(self) -> Iterator[SqlState]:
        """Give what stands at one moment; nobody waits for who looks at it."""
        with self._reading.begin() as connection:
            yield SqlState(connection, self._sealing)

    def standing(self) -> Sequence[Version]:
        """Return every document that stands, by kind and name."""
        with self._reading.connect() as connection:
            return standing_documents(connection, self._sealing)

    def history(self, kind: str, name: str) -> Sequence[Version]:
        """Return the versions of a document, newest first; deletions are among them."""
        with self._reading.connect() as connection:
            return _history(connection, self._sealing, kind, name)

    def version(self, kind: str, name: str, number: int | None = None) -> Version | None:
        """Return a version of a document, or the one that stands; None where there is no such."""
        if number is None:
            query = select(documents).where(documents.c.kind == kind, documents.c.name == name)
        else:
            query = select(document_versions).where(_of(kind, name), _versions.number == number)
        with self._reading.connect() as connection:
            row = connection.execute(query).one_or_none()
        return _version(row, self._sealing) if row else None

    def versions(self, keys: Sequence[VersionKey]) -> list[Version]:
        """Return these versions from the history, as far as they are there."""
        place = tuple_(_versions.kind, _versions.name, _versions.number)
        found: list[Version] = []
        with self._reading.begin() as connection:
            for some in _some_at_a_time(keys):
                rows = connection.execute(select(document_versions).where(place.in_(some)))
                found += [_version(row, self._sealing) for row in rows]
        return [version for version in found if not version.is_deletion]

    def latest(self, origin: Origin | None = None) -> dict[tuple[str, str], Version]:
        """Return the newest version of each document, deletions included; only of `origin`, if given."""
        newest = select(_versions.kind, _versions.name, func.max(_versions.number).label("number"))
        if origin is not None:
            newest = newest.where(_versions.origin == origin.value)
        top = newest.group_by(_versions.kind, _versions.name).subquery()
        of_top = (_versions.kind == top.c.kind) & (_versions.name == top.c.name) & (_versions.number == top.c.number)
        with self._reading.connect() as connection:
            rows = connection.execute(select(document_versions).join(top, of_top))
            return {(row.kind, row.name): _version(row, self._sealing) for row in rows}


class SqlState:
    """What one transaction sees of the configuration."""

    def __init__(self, connection: Connection, sealing: Sealing) -> None:
        self.connection = connection
        self._sealing = sealing

    def standing(self) -> Sequence[Version]:
        """Return every document that stands."""
        return standing_documents(self.connection, self._sealing)

    def history(self, kind: str, name: str) -> Sequence[Version]:
        """Return the versions of a document, newest first."""
        return _history(self.connection, self._sealing, kind, name)

    def newest_numbers(self, places: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the number of each document's newest version, 0 where the name was never used."""
        numbers = dict.fromkeys(places, 0)
        place, newest = tuple_(_versions.kind, _versions.name), func.max(_versions.number).label("number")
        for some in _some_at_a_time(list(places)):
            query = select(_versions.kind, _versions.name, newest).where(place.in_(some))
            for row in self.connection.execute(query.group_by(_versions.kind, _versions.name)):
                numbers[row.kind, row.name] = row.number
        return numbers

    def delivered(self) -> Delivered:
        """Return the CAs that came in beside the documents."""
        certificates = trust_certificates.c
        query = select(certificates.store, certificates.pem).order_by(certificates.store, certificates.sha256)
        found: dict[str, tuple[str, ...]] = {}
        for row in self.connection.execute(query):
            found[row.store] = (*found.get(row.store, ()), row.pem)
        return found


class SqlChange(SqlState):
    """One transaction that changes the configuration."""

    def write(self, versions: Sequence[Version]) -> None:
        """Make each of these the newest version of its document."""
        rows = [_row(version, self._sealing) for version in versions]
        self.connection.execute(insert(document_versions), rows)
        for version in versions:
            if version.number > KEPT_VERSIONS:
                old = _versions.number <= version.number - KEPT_VERSIONS
                self.connection.execute(delete(document_versions).where(_of(version.kind, version.name), old))
        for some in _some_at_a_time([(version.kind, version.name) for version in versions]):
            self.connection.execute(delete(documents).where(tuple_(documents.c.kind, documents.c.name).in_(some)))
        standing = [row for row, version in zip(rows, versions, strict=True) if not version.is_deletion]
        if standing:
            self.connection.execute(insert(documents), standing)

    def record(self, entries: Sequence[Entry], at: datetime) -> None:
        """Put these into the audit of administrators, in this order."""
        append_records(self.connection, entries, at)

    def announce(self, key: str, at: datetime) -> None:
        """Tell every edge worker. Best last."""
        append_change(self.connection, ChangeKind.CONFIGURATION, key, at)


def _some_at_a_time(keys: Sequence[_Key]) -> Iterator[Sequence[_Key]]:
    """Give so many of them as one statement may name."""
    for start in range(0, len(keys), _MOST_AT_A_TIME):
        yield keys[start : start + _MOST_AT_A_TIME]


def _of(kind: str, name: str) -> ColumnElement[bool]:
    return (_versions.kind == kind) & (_versions.name == name)


def standing_documents(connection: Connection, sealing: Sealing = NOTHING_SEALED) -> list[Version]:
    """Return every document that stands, by kind and name."""
    rows = connection.execute(select(documents).order_by(documents.c.kind, documents.c.name))
    return [_version(row, sealing) for row in rows]


def _history(connection: Connection, sealing: Sealing, kind: str, name: str) -> list[Version]:
    query = select(document_versions).where(_of(kind, name)).order_by(_versions.number.desc())
    return [_version(row, sealing) for row in connection.execute(query)]


def _row(version: Version, sealing: Sealing) -> dict[str, object]:
    return {
        "kind": version.kind,
        "name": version.name,
        "number": version.number,
        "body": sealing.stored(version),
        "origin": version.origin.value,
        "actor": version.actor,
        "at": version.at,
    }


def _version(row: Row[Any], sealing: Sealing) -> Version:
    return Version(
        kind=row.kind,
        name=row.name,
        number=row.number,
        text=sealing.text_of(row.kind, row.name, row.number, row.body),
        origin=Origin(row.origin),
        actor=row.actor,
        at=row.at,
    )
