"""Keeps the server's keys in the database, so that all workers sign with the same one; private parts are sealed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chassis.sql.database import for_reading
from gateway.admin_audit.record import Entry
from gateway.admin_audit.store import append_record
from gateway.changes.store import changing
from gateway.oauth.jose.rotation import SigningKey, rotation
from gateway.register.model import SigningAlg
from gateway.tables.keys import signing_keys

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy import Connection, Engine, Row

    from gateway.oauth.jose.rotation import Rotation

_DESCRIBED = [column for column in signing_keys.c if column is not signing_keys.c.sealed]


class SqlSigningKeys:
    """The server's keys on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)

    def all(self) -> list[SigningKey]:
        """Return all keys, without their private parts."""
        with self._reading.connect() as connection:
            return _all(connection)

    def sealed(self, kid: str) -> bytes | None:
        """Return the sealed private part of a key."""
        with self._reading.connect() as connection:
            return connection.execute(select(signing_keys.c.sealed).where(signing_keys.c.kid == kid)).scalar_one_or_none()

    def add(self, key: SigningKey, sealed: bytes) -> bool:
        """Publish a key, and tell whether no other process has done so with one of the same number."""
        values = {
            "kid": key.kid,
            "alg": key.alg.value,
            "number": key.number,
            "jwk": json.dumps(key.jwk),
            "sealed": sealed,
            "published_at": key.published_at.timestamp(),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(signing_keys).values(**values))
        except IntegrityError:
            return False
        return True

    def begin(self, kid: str, at: datetime) -> None:
        """Let a key sign from now on."""
        with self._engine.begin() as connection:
            _begin(connection, kid, at)

    def rotate(self, alg: SigningAlg, at: datetime, *, ahead: timedelta, withdraw: bool) -> Rotation:
        """Let the successor sign from now on; raises `RotationRefused`."""
        with changing(self._engine) as connection:
            decided = rotation(_all(connection), alg, at, ahead=ahead, withdraw=withdraw)
            _begin(connection, decided.begins, at)
            if decided.withdrawn is not None:
                withdrawn = update(signing_keys).where(signing_keys.c.kid == decided.withdrawn)
                connection.execute(withdrawn.values(withdrawn_at=at.timestamp()))
            append_record(connection, _entry(alg, decided), at)
        return decided

    def drop(self, kid: str) -> None:
        """Forget a key."""
        with self._engine.begin() as connection:
            connection.execute(delete(signing_keys).where(signing_keys.c.kid == kid))


def _entry(alg: SigningAlg, decided: Rotation) -> Entry:
    difference = [{"field": "signs", "after": decided.begins}]
    if decided.withdrawn is not None:
        difference.append({"field": "withdrawn", "after": decided.withdrawn})
    return Entry(action="replaced", object_kind="signing-keys", object_name=alg.value, difference=difference)


def _begin(connection: Connection, kid: str, at: datetime) -> None:
    waiting = (signing_keys.c.kid == kid) & signing_keys.c.signs_from.is_(None)
    connection.execute(update(signing_keys).where(waiting).values(signs_from=at.timestamp()))


def _all(connection: Connection) -> list[SigningKey]:
    ordered = select(*_DESCRIBED).order_by(signing_keys.c.alg, signing_keys.c.number)
    return [_key(row) for row in connection.execute(ordered)]


def _key(row: Row[Any]) -> SigningKey:
    return SigningKey(
        kid=row.kid,
        alg=SigningAlg(row.alg),
        number=row.number,
        jwk=json.loads(row.jwk),
        published_at=datetime.fromtimestamp(row.published_at, UTC),
        signs_from=_moment(row.signs_from),
        withdrawn_at=_moment(row.withdrawn_at),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
