"""Reads what the edge's checks ask for, off the event loop, from the gateway's database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from chassis.sql.database import for_reading
from gateway.admission.tokens import AccessToken
from gateway.changes.store import changes_after, newest_position
from gateway.register.store import SqlRegisterStore
from gateway.tables.oauth import access_tokens
from gateway.trust.crl_points import SqlCrlPoints
from gateway.trust.snapshot_store import read_snapshot
from psd2.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine, Select

    from gateway.changes.kinds import Change
    from gateway.register.model import Client, Tpp
    from gateway.trust.snapshot import TrustSnapshot


class SqlKnowledgeSource:
    """`KnowledgeSource` on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        """Read from `engine`."""
        self._engine = engine
        self._reading = for_reading(engine)
        self._register = SqlRegisterStore(engine)

    def newest_position(self) -> int:
        """Return the id of the newest change."""
        return newest_position(self._engine)

    def changes_after(self, position: int, *, limit: int) -> Sequence[Change]:
        """Return the oldest changes after `position`."""
        return changes_after(self._engine, position, limit=limit)

    def token(self, sha256: str) -> AccessToken | None:
        """Return the access token whose SHA-256 (hex) this is."""
        return self._first(select(access_tokens).where(access_tokens.c.sha256 == sha256))

    def token_of(self, authorisation_number: str, beginning: str) -> AccessToken | None:
        """Return the TPP's own access token whose SHA-256 (hex) begins so."""
        is_own = access_tokens.c.authorisation_number == authorisation_number
        return self._first(select(access_tokens).where(is_own & access_tokens.c.sha256.startswith(beginning)).limit(1))

    def _first(self, query: Select[Any]) -> AccessToken | None:
        with self._reading.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return AccessToken(
            sha256=row.sha256,
            client_id=row.client_id,
            authorisation_number=row.authorisation_number,
            scope=row.scope,
            subject=row.subject,
            thumbprint=row.thumbprint,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            jkt=row.jkt or "",
        )

    def tpp(self, authorisation_number: str) -> Tpp | None:
        """Return the TPP."""
        return self._register.tpp(authorisation_number)

    def client(self, client_id: str) -> Client | None:
        """Return the client."""
        return self._register.client(client_id)

    def certificate_holders(self, sha256: str) -> tuple[str, ...]:
        """Return the ids of the clients that have registered a self-signed certificate."""
        return self._register.certificate_holders(sha256)

    def name_crl_points(self, store: str, urls: list[str]) -> None:
        """Note where lists of a store's CAs are to be fetched from."""
        SqlCrlPoints(self._engine).name(store, urls, SystemClock().now())

    def trust_snapshot(self, store: str) -> TrustSnapshot:
        """Return the present state of a trust store."""
        return read_snapshot(self._engine, store)
