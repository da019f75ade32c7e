"""The register in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import delete, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from chassis.sql.database import for_reading, one_at_a_time
from psd2.authorisation_number import AuthorisationNumber
from psd2.roles import format_roles, read_roles
from sandbox.database import former_tpps, tpps
from sandbox.tpps.errors import RegistrationConflict
from sandbox.tpps.model import FormerTpp, Profile, Tpp, TppStatus

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Row, Table

    from sandbox.tpps.applications import RegisterLimits
    from sandbox.tpps.model import Amendment, ClientAmendment

_REGISTER = ("sandbox.register",)
_FORMER = ("authorisation_number", "organisation_id", "access_token_sha256")


class SqlTppStore:
    """The register in SQL."""

    def __init__(self, engine: Engine) -> None:
        """Read and write through this engine."""
        self._engine = engine
        self._reading = for_reading(engine)

    def find(self, name_or_number: str) -> Tpp | None:
        """Return the TPP of this name or authorisation number."""
        if "\0" in name_or_number:
            return None  # PostgreSQL keeps no such text, and can't be asked for one
        condition = or_(tpps.c.name == name_or_number, tpps.c.authorisation_number == name_or_number)
        with self._reading.connect() as connection:
            row = connection.execute(select(tpps).where(condition)).first()
        return _tpp(row) if row else None

    def all(self) -> list[Tpp]:
        """Return every TPP, by name."""
        with self._reading.connect() as connection:
            return [_tpp(row) for row in connection.execute(select(tpps).order_by(tpps.c.name))]

    def of_organisation(self, organisation_id: str) -> list[Tpp]:
        """Return an organisation's TPPs, by name."""
        query = select(tpps).where(tpps.c.organisation_id == organisation_id).order_by(tpps.c.name)
        with self._reading.connect() as connection:
            return [_tpp(row) for row in connection.execute(query)]

    def former(self, number: str) -> FormerTpp | None:
        """Return who had this number and has left."""
        query = select(*(former_tpps.c[name] for name in _FORMER)).where(former_tpps.c.authorisation_number == number)
        with self._reading.connect() as connection:
            row = connection.execute(query).first()
        return FormerTpp(**dict(zip(_FORMER, row, strict=True))) if row else None

    def add(self, tpp: Tpp, *, limits: RegisterLimits | None) -> None:
        """Take a new TPP in, within `limits`, or (None) give a number back to whoever had it.

        Raises `RegisterFull`, and `RegistrationConflict` where its name, number or client id is taken.
        """
        try:
            with self._engine.begin() as connection:
                # Counted and taken in one step: the command line may register beside the portal.
                one_at_a_time(connection, *_REGISTER)
                if limits is None:
                    connection.execute(delete(former_tpps).where(_is_number(former_tpps, tpp)))
                else:
                    _require_never_taken(connection, tpp)
                    _require_room(connection, tpp.organisation_id, limits)
                connection.execute(insert(tpps).values(**_values(tpp)))
        except IntegrityError as error:
            raise RegistrationConflict(f"{tpp.name} or {tpp.authorisation_number} has just been registered") from error

    def set_status(self, tpp: Tpp, status: TppStatus, *, block_reason: str | None = None) -> None:
        """Write a TPP's status, and why it is blocked, and nothing else."""
        self._write(tpp, status=status.value, block_reason=block_reason)

    def amend(self, tpp: Tpp, amendment: Amendment) -> None:
        """Write what a TPP has changed of itself and nothing else."""
        uris = orjson.dumps(amendment.redirect_uris).decode()
        self._write(tpp, organisation=amendment.organisation, redirect_uris=uris)

    def amend_client(self, tpp: Tpp, amendment: ClientAmendment) -> None:
        """Write what a TPP has changed of its client and nothing else."""
        metadata = orjson.dumps(dict(amendment.client_metadata)).decode()
        self._write(tpp, profile=amendment.profile.value, client_metadata=metadata)

    def activate(self, tpp: Tpp) -> bool:
        """Make a registering TPP active; return False, and change nothing, where it is not registering."""
        number = str(tpp.authorisation_number)
        is_it = (tpps.c.authorisation_number == number) & (tpps.c.status == TppStatus.REGISTERING.value)
        with self._engine.begin() as connection:
            return connection.execute(update(tpps).where(is_it).values(status=TppStatus.ACTIVE.value)).rowcount == 1

    def set_access_token(self, tpp: Tpp, sha256: str) -> None:
        """Keep the hash of the TPP's access token; the one before stops working."""
        self._write(tpp, access_token_sha256=sha256)

    def access_token_sha256(self, tpp: Tpp) -> str | None:
        """Return the hash of the TPP's access token."""
        query = select(tpps.c.access_token_sha256).where(tpps.c.authorisation_number == str(tpp.authorisation_number))
        with self._reading.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def claim(self, tpp: Tpp, organisation_id: str, *, limits: RegisterLimits) -> bool:
        """Give a TPP that is nobody's to an organisation; return False, and change nothing, where it is somebody's.

        Raises `RegisterFull`.
        """
        is_nobodys = _is(tpp) & tpps.c.organisation_id.is_(None)
        with self._engine.begin() as connection:
            one_at_a_time(connection, *_REGISTER)
            limits.require_room_in_organisation(_count(connection, organisation_id))
            return connection.execute(update(tpps).where(is_nobodys).values(organisation_id=organisation_id)).rowcount == 1

    def forget(self, tpp: Tpp) -> None:
        """Take out a TPP that never came to be; its number is anybody's again."""
        with self._engine.begin() as connection:
            connection.execute(delete(tpps).where(_is(tpp) & (tpps.c.status == TppStatus.REGISTERING.value)))

    def remove(self, tpp: Tpp, *, at: float) -> None:
        """Take a TPP out, and keep its number for whoever had it."""
        columns = (tpps.c.authorisation_number, tpps.c.organisation_id, tpps.c.access_token_sha256, literal(at))
        names = [*_FORMER, "left_at"]
        with self._engine.begin() as connection:
            # Locked: of two that take it out at once, the second finds nothing to keep (PostgreSQL).
            connection.execute(insert(former_tpps).from_select(names, select(*columns).where(_is(tpp)).with_for_update()))
            connection.execute(delete(tpps).where(_is(tpp)))

    def _write(self, tpp: Tpp, **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(tpps).where(_is(tpp)).values(**values))


def _is(tpp: Tpp) -> ColumnElement[bool]:
    return _is_number(tpps, tpp)


def _is_number(table: Table, tpp: Tpp) -> ColumnElement[bool]:
    return table.c.authorisation_number == str(tpp.authorisation_number)


def _require_never_taken(connection: Connection, tpp: Tpp) -> None:
    """Refuse a number that somebody has left since it was judged a new one: it is kept for whoever had it."""
    if connection.execute(select(former_tpps.c.left_at).where(_is_number(former_tpps, tpp))).first():
        raise RegistrationConflict(f"{tpp.authorisation_number} has just been registered")


def _require_room(connection: Connection, organisation_id: str | None, limits: RegisterLimits) -> None:
    own = None if organisation_id is None else _count(connection, organisation_id)
    limits.require_room(all_taken=_count(connection), organisations_own=own)


def _count(connection: Connection, organisation_id: str | None = None) -> int:
    """Count the numbers taken, by everybody or by one organisation; such as were left too."""
    queries = [select(func.count()).select_from(table) for table in (tpps, former_tpps)]
    if organisation_id is not None:
        queries = [
            query.where(table.c.organisation_id == organisation_id)
            for query, table in zip(queries, (tpps, former_tpps), strict=True)
        ]
    return sum(int(connection.execute(query).scalar_one()) for query in queries)


def _values(tpp: Tpp) -> dict[str, object]:
    return {
        "authorisation_number": str(tpp.authorisation_number),
        "name": tpp.name,
        "organisation": tpp.organisation,
        "roles": format_roles(tpp.roles),
        "redirect_uris": orjson.dumps(tpp.redirect_uris).decode(),
        "profile": tpp.profile.value,
        "client_id": tpp.client_id,
        "seed": tpp.seed,
        "status": tpp.status.value,
        "created_at": tpp.created_at,
        "organisation_id": tpp.organisation_id,
        "block_reason": tpp.block_reason,
        "client_metadata": orjson.dumps(dict(tpp.client_metadata)).decode(),
    }


def _tpp(row: Row[Any]) -> Tpp:
    return Tpp(
        authorisation_number=AuthorisationNumber.parse(row.authorisation_number),
        name=row.name,
        organisation=row.organisation,
        roles=read_roles(row.roles),
        redirect_uris=tuple(orjson.loads(row.redirect_uris)),
        profile=Profile(row.profile),
        client_id=row.client_id,
        seed=row.seed,
        status=TppStatus(row.status),
        created_at=row.created_at,
        organisation_id=row.organisation_id,
        block_reason=row.block_reason,
        client_metadata=orjson.loads(row.client_metadata),
    )
