"""Accounts and sessions in SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chassis.sql.database import for_reading
from sandbox.database import developers, organisations, portal_sessions
from sandbox.developers.model import Developer, Organisation, Origin, PortalSession, Visitor
from sandbox.developers.rows import developer_of, developer_values, organisation_values, use_invitation
from sandbox.developers.service import Credentials

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine, Row

_ORGANISATION = (organisations.c.name.label("organisation_name"), organisations.c.created_at.label("organisation_created_at"))


class SqlDevelopers:
    """Accounts and sessions in SQL."""

    def __init__(self, engine: Engine) -> None:
        """Read and write through this engine."""
        self._engine = engine
        self._reading = for_reading(engine)

    def add(self, developer: Developer, organisation: Organisation, password_hash: str) -> bool:
        """Take somebody in with an organisation of its own; return False, and change nothing, where the address is taken."""
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(organisations).values(**organisation_values(organisation)))
                connection.execute(insert(developers).values(**developer_values(developer, password_hash)))
        except IntegrityError:
            return False
        return True

    def add_invited(self, developer: Developer, invitation_key: str, password_hash: str) -> bool:
        """Take somebody in as an invitation says, and use that up; as `add`, and raises `UnknownInvitation`."""
        try:
            with self._engine.begin() as connection:
                organisation_id = use_invitation(connection, invitation_key, now=developer.created_at)
                joining = replace(developer, organisation_id=organisation_id)
                connection.execute(insert(developers).values(**developer_values(joining, password_hash)))
        except IntegrityError:
            return False
        return True

    def all(self) -> list[tuple[Developer, Organisation]]:
        """Return everybody, by address."""
        query = select(developers, *_ORGANISATION).join(organisations).order_by(developers.c.email_key)
        with self._reading.connect() as connection:
            return [(developer_of(row), _organisation(row)) for row in connection.execute(query)]

    def credentials(self, email_key: str) -> Credentials | None:
        """Return whose address this is."""
        with self._reading.connect() as connection:
            row = connection.execute(select(developers).where(developers.c.email_key == email_key)).first()
        return Credentials(developer=developer_of(row), password_hash=row.password_hash) if row else None

    def rename(self, developer_id: str, name: str) -> None:
        """Give a developer another name."""
        self._change(developer_id, name=name)

    def set_operator(self, developer_id: str, *, is_operator: bool) -> None:
        """Make somebody an operator, or no longer one."""
        self._change(developer_id, is_operator=is_operator)

    def set_disabled(self, developer_id: str, disabled_at: float | None) -> bool:
        """Keep somebody out from then on, or let it in again; return whether there is such a developer."""
        change = update(developers).where(developers.c.id == developer_id).values(disabled_at=disabled_at)
        with self._engine.begin() as connection:
            return connection.execute(change).rowcount == 1

    def set_password_hash(self, developer_id: str, password_hash: str, *, instead_of: str | None = None) -> None:
        """Keep another hash; where `instead_of` is given, only if that one still stands."""
        change = update(developers).where(developers.c.id == developer_id).values(password_hash=password_hash)
        if instead_of is not None:
            change = change.where(developers.c.password_hash == instead_of)
        with self._engine.begin() as connection:
            connection.execute(change)

    def start_session(self, session: PortalSession, *, password_hash: str) -> bool:
        """Keep a new session while this hash stands; return False, and keep none, where the password has been changed."""
        is_theirs = (developers.c.id == session.developer_id) & (developers.c.password_hash == password_hash)
        with self._engine.begin() as connection:
            # Locked: a change of password that comes now waits, and then ends this session with the others.
            if connection.execute(select(developers.c.id).where(is_theirs).with_for_update()).first() is None:
                return False
            connection.execute(insert(portal_sessions).values(**_session_values(session)))
        return True

    def visitor(self, session_key: str) -> Visitor | None:
        """Return the session of this key with whom it is, open or not."""
        sessions = [column.label(f"session_{column.name}") for column in portal_sessions.c]
        joined = portal_sessions.join(developers).join(organisations)
        query = select(developers, *_ORGANISATION, *sessions).select_from(joined).where(portal_sessions.c.key == session_key)
        with self._reading.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Visitor(developer=developer_of(row), organisation=_organisation(row), session=_session(row, prefix="session_"))

    def note_seen(self, session_key: str, at: float) -> None:
        """Note when a session was used last."""
        with self._engine.begin() as connection:
            later = (portal_sessions.c.key == session_key) & (portal_sessions.c.last_seen_at < at)
            connection.execute(update(portal_sessions).where(later).values(last_seen_at=at))

    def end_session(self, developer_id: str, session_key: str, at: float) -> bool:
        """End one of a developer's sessions; return whether it was open."""
        return self._end(at, portal_sessions.c.developer_id == developer_id, portal_sessions.c.key == session_key) == 1

    def end_sessions(self, developer_id: str, at: float, *, except_key: str | None = None) -> int:
        """End a developer's sessions, all but one; return how many."""
        spared = () if except_key is None else (portal_sessions.c.key != except_key,)
        return self._end(at, portal_sessions.c.developer_id == developer_id, *spared)

    def sessions(self, developer_id: str) -> list[PortalSession]:
        """Return a developer's sessions that nobody has ended, those used last first."""
        standing = (portal_sessions.c.developer_id == developer_id) & portal_sessions.c.ended_at.is_(None)
        query = select(portal_sessions).where(standing).order_by(portal_sessions.c.last_seen_at.desc(), portal_sessions.c.key)
        with self._reading.connect() as connection:
            return [_session(row) for row in connection.execute(query)]

    def has_been_at(self, developer_id: str, address: str) -> bool:
        """Answer whether a developer has signed in from this address."""
        was = (portal_sessions.c.developer_id == developer_id) & (portal_sessions.c.address == address)
        with self._reading.connect() as connection:
            return connection.execute(select(portal_sessions.c.key).where(was).limit(1)).first() is not None

    def prune_sessions(self, *, expired_before: float) -> None:
        """Drop sessions that were over by then."""
        with self._engine.begin() as connection:
            connection.execute(delete(portal_sessions).where(portal_sessions.c.expires_at < expired_before))

    def _change(self, developer_id: str, **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(developers).where(developers.c.id == developer_id).values(**values))

    def _end(self, at: float, *whose: ColumnElement[bool]) -> int:
        ending = update(portal_sessions).where(*whose, portal_sessions.c.ended_at.is_(None)).values(ended_at=at)
        with self._engine.begin() as connection:
            return connection.execute(ending).rowcount


def _organisation(row: Row[Any]) -> Organisation:
    return Organisation(id=row.organisation_id, name=row.organisation_name, created_at=row.organisation_created_at)


def _session_values(session: PortalSession) -> dict[str, object]:
    return {
        "key": session.key,
        "developer_id": session.developer_id,
        "started_at": session.started_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "ended_at": session.ended_at,
        "address": session.origin.address,
        "user_agent": session.origin.user_agent,
    }


def _session(row: Row[Any], *, prefix: str = "") -> PortalSession:
    def value(name: str) -> Any:  # noqa: ANN401 - a row is untyped
        return getattr(row, f"{prefix}{name}")

    return PortalSession(
        key=value("key"),
        developer_id=value("developer_id"),
        started_at=value("started_at"),
        last_seen_at=value("last_seen_at"),
        expires_at=value("expires_at"),
        ended_at=value("ended_at"),
        origin=Origin(address=value("address"), user_agent=value("user_agent")),
    )
