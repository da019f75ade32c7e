"""Organisations and invitations in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, insert, or_, select, update

from chassis.sql.database import for_reading
from sandbox.database import developers, invitations, organisations, tpps
from sandbox.developers.errors import MembershipRefused
from sandbox.developers.model import Developer, Invitation, Organisation
from sandbox.developers.organisations import Welcome
from sandbox.developers.rows import developer_of, is_open, organisation_values, use_invitation

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Connection, Engine, Row


class SqlOrganisations:
    """Organisations and invitations in SQL."""

    def __init__(self, engine: Engine) -> None:
        """Read and write through this engine."""
        self._engine = engine
        self._reading = for_reading(engine)

    def rename(self, organisation_id: str, name: str) -> None:
        """Give an organisation another name."""
        with self._engine.begin() as connection:
            connection.execute(update(organisations).where(organisations.c.id == organisation_id).values(name=name))

    def members(self, organisation_id: str) -> list[Developer]:
        """Return who belongs to it, by name."""
        of_it = developers.c.organisation_id == organisation_id
        query = select(developers).where(of_it).order_by(developers.c.name, developers.c.email_key)
        with self._reading.connect() as connection:
            return [developer_of(row) for row in connection.execute(query)]

    def invite(self, invitation: Invitation, *, most_open: int) -> bool:
        """Keep an invitation; return False, and keep none, where as many are open."""
        open_ones = is_open(invitation.created_at) & (invitations.c.organisation_id == invitation.organisation_id)
        with self._engine.begin() as connection:
            _lock(connection, invitation.organisation_id)
            if connection.execute(select(func.count()).where(open_ones)).scalar_one() >= most_open:
                return False
            connection.execute(insert(invitations).values(**_invitation_values(invitation)))
        return True

    def invitations(self, organisation_id: str, *, now: float) -> list[tuple[Invitation, str]]:
        """Return the open ones with the name of who invited, the newest first."""
        is_its = is_open(now) & (invitations.c.organisation_id == organisation_id)
        query = select(invitations, developers.c.name).join(developers, invitations.c.invited_by == developers.c.id)
        with self._reading.connect() as connection:
            rows = connection.execute(query.where(is_its).order_by(invitations.c.created_at.desc(), invitations.c.key))
            return [(_invitation(row), row.name) for row in rows]

    def withdraw(self, organisation_id: str, key: str) -> bool:
        """Withdraw an organisation's invitation; return whether there was one."""
        its = (invitations.c.organisation_id == organisation_id) & (invitations.c.key == key)
        with self._engine.begin() as connection:
            return connection.execute(delete(invitations).where(its)).rowcount == 1

    def welcome(self, key: str, *, now: float) -> Welcome | None:
        """Return what an open invitation tells."""
        joined = invitations.join(organisations).join(developers, invitations.c.invited_by == developers.c.id)
        query = select(organisations, developers.c.name.label("invited_by")).select_from(joined)
        with self._reading.connect() as connection:
            row = connection.execute(query.where(is_open(now), invitations.c.key == key)).first()
        if row is None:
            return None
        return Welcome(
            organisation=Organisation(id=row.id, name=row.name, created_at=row.created_at), invited_by=row.invited_by
        )

    def join(self, developer: Developer, key: str, *, now: float) -> None:
        """Use up an invitation and move somebody; raises `UnknownInvitation`, `MembershipRefused`."""
        with self._engine.begin() as connection:
            organisation_id = use_invitation(connection, key, now=now)
            _move(connection, developer, organisation_id)

    def found(self, developer: Developer, organisation: Organisation) -> None:
        """Make an organisation and move somebody there; raises `MembershipRefused`."""
        with self._engine.begin() as connection:
            connection.execute(insert(organisations).values(**organisation_values(organisation)))
            _move(connection, developer, organisation.id)

    def prune_invitations(self, *, now: float) -> None:
        """Drop invitations that have expired or were used."""
        is_over = or_(invitations.c.used_at.is_not(None), invitations.c.expires_at <= now)
        with self._engine.begin() as connection:
            connection.execute(delete(invitations).where(is_over))


def _move(connection: Connection, developer: Developer, organisation_id: str) -> None:
    left = developer.organisation_id
    _lock(connection, left)
    _require_nothing_orphaned(connection, developer)
    is_there = and_(developers.c.id == developer.id, developers.c.organisation_id == left)
    moved = connection.execute(update(developers).where(is_there).values(organisation_id=organisation_id)).rowcount
    if moved != 1:
        raise MembershipRefused("You have just moved to another organisation in another window.")
    # Whoever leaves takes its invitations along: no way back in that nobody there knows of.
    theirs = and_(invitations.c.organisation_id == left, invitations.c.invited_by == developer.id)
    connection.execute(delete(invitations).where(theirs))


def _require_nothing_orphaned(connection: Connection, developer: Developer) -> None:
    left = developer.organisation_id
    others = select(func.count()).where(developers.c.organisation_id == left, developers.c.id != developer.id)
    owned = select(func.count()).where(tpps.c.organisation_id == left)
    if connection.execute(owned).scalar_one() and not connection.execute(others).scalar_one():
        raise MembershipRefused(
            "You are the only member, and the organisation has TPPs that nobody could reach any more. "
            "Invite somebody first, or take the TPPs out."
        )


def _lock(connection: Connection, organisation_id: str) -> None:
    # Of two last members who leave at the same time, one must see the other gone (SQLite has one writer anyway).
    connection.execute(select(organisations.c.id).where(organisations.c.id == organisation_id).with_for_update())


def _invitation_values(invitation: Invitation) -> dict[str, object]:
    return {
        "key": invitation.key,
        "organisation_id": invitation.organisation_id,
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    }


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        key=row.key,
        organisation_id=row.organisation_id,
        invited_by=row.invited_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
