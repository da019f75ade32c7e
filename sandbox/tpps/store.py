"""The register in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from chassis.database import for_reading
from psd2.authorisation_number import AuthorisationNumber
from psd2.roles import format_roles, read_roles
from sandbox.database import tpps
from sandbox.tpps.errors import RegistrationConflict
from sandbox.tpps.model import Profile, Tpp, TppStatus

if TYPE_CHECKING:
    from sqlalchemy import Engine, Row


class SqlTppStore:
    """The register in SQL."""

    def __init__(self, engine: Engine) -> None:
        """Read and write through this engine."""
        self._engine = engine
        self._reading = for_reading(engine)

    def find(self, name_or_number: str) -> Tpp | None:
        """Return the TPP of this name or authorisation number."""
        condition = or_(tpps.c.name == name_or_number, tpps.c.authorisation_number == name_or_number)
        with self._reading.connect() as connection:
            row = connection.execute(select(tpps).where(condition)).first()
        return _tpp(row) if row else None

    def all(self) -> list[Tpp]:
        """Return every TPP, by name."""
        with self._reading.connect() as connection:
            return [_tpp(row) for row in connection.execute(select(tpps).order_by(tpps.c.name))]

    def count(self) -> int:
        """Return how many TPPs there are."""
        with self._reading.connect() as connection:
            return connection.execute(select(func.count()).select_from(tpps)).scalar_one()

    def add(self, tpp: Tpp) -> None:
        """Take a new TPP in; raises `RegistrationConflict` where its name, number or client id is taken."""
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(tpps).values(**_values(tpp)))
        except IntegrityError as error:
            raise RegistrationConflict(
                f"{tpp.name} or {tpp.authorisation_number} has just been registered by somebody else"
            ) from error

    def replace(self, tpp: Tpp) -> None:
        """Write everything about a TPP anew, its access token excepted."""
        with self._engine.begin() as connection:
            number = str(tpp.authorisation_number)
            connection.execute(update(tpps).where(tpps.c.authorisation_number == number).values(**_values(tpp)))

    def activate(self, tpp: Tpp) -> bool:
        """Make a registering TPP active; return False, and change nothing, where it is not registering."""
        number = str(tpp.authorisation_number)
        is_it = (tpps.c.authorisation_number == number) & (tpps.c.status == TppStatus.REGISTERING.value)
        with self._engine.begin() as connection:
            return connection.execute(update(tpps).where(is_it).values(status=TppStatus.ACTIVE.value)).rowcount == 1

    def set_access_token(self, tpp: Tpp, sha256: str) -> None:
        """Keep the hash of the TPP's access token; the one before stops working."""
        with self._engine.begin() as connection:
            number = str(tpp.authorisation_number)
            connection.execute(update(tpps).where(tpps.c.authorisation_number == number).values(access_token_sha256=sha256))

    def access_token_sha256(self, tpp: Tpp) -> str | None:
        """Return the hash of the TPP's access token."""
        query = select(tpps.c.access_token_sha256).where(tpps.c.authorisation_number == str(tpp.authorisation_number))
        with self._reading.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def remove(self, tpp: Tpp) -> None:
        """Take a TPP out."""
        with self._engine.begin() as connection:
            connection.execute(delete(tpps).where(tpps.c.authorisation_number == str(tpp.authorisation_number)))


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
    )
