"""Keeps TPPs and clients in the gateway's database; every change also tells the change feed, in the same transaction."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import bindparam, delete, insert, select, update

from chassis.sql.database import for_reading
from chassis.sql.single_statements import SingleRead
from gateway.admin_audit.store import record_change
from gateway.changes.kinds import EVERYTHING, ChangeKind
from gateway.changes.store import append_change, changing
from gateway.configuration.changes import WHATEVER_STANDS
from gateway.configuration.tags import require_standing
from gateway.register.certificate_store import holders, keep_certificates, kept_certificates, taken_certificates
from gateway.register.certificates import is_same_address, registered_certificates
from gateway.register.client_metadata import metadata_text, read_metadata
from gateway.register.model import AuthMethod, Client, ClientProfile, ClientStatus, Tpp, TppStatus
from gateway.register.service import RegisteredClient, SavedClient
from gateway.tables.oauth import access_tokens, grants, refresh_tokens
from gateway.tables.register import clients, tpps
from psd2.roles import format_roles, read_roles

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row, Table

    from gateway.configuration.changes import Precondition
    from gateway.register.service import RegisterView

# Made once: making a statement costs more than running it.
_TPP: Final = select(tpps).where(tpps.c.authorisation_number == bindparam("number"))
_CLIENT: Final = select(clients).where(clients.c.client_id == bindparam("client_id"))
_OF_TPP: Final = "tpp_"
_REGISTERED: Final = (
    select(clients, *(column.label(f"{_OF_TPP}{column.name}") for column in tpps.c))
    .join(tpps, tpps.c.authorisation_number == clients.c.authorisation_number)
    .where(clients.c.client_id == bindparam("client_id"))
)
_MOST_REMEMBERED: Final = 500
_BOOKKEEPING: Final = frozenset({"created_at", "updated_at"})


class SqlRegisterView:
    """The register as one connection sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tpp(self, authorisation_number: str) -> Tpp | None:
        """Return the TPP, or None."""
        row = self._connection.execute(_TPP, {"number": authorisation_number}).one_or_none()
        return _tpp(row) if row else None

    def client(self, client_id: str) -> Client | None:
        """Return the client, or None."""
        row = self._connection.execute(_CLIENT, {"client_id": client_id}).one_or_none()
        return _client(row) if row else None

    def clients_of(self, authorisation_number: str) -> Sequence[Client]:
        """Return the clients of a TPP, by client id."""
        query = select(clients).where(clients.c.authorisation_number == authorisation_number).order_by(clients.c.client_id)
        return [_client(row) for row in self._connection.execute(query)]

    def taken_certificates(self, sha256s: Collection[str], *, besides: str) -> frozenset[str]:
        """Return those of the certificates that clients of other TPPs than `besides` have registered."""
        return taken_certificates(self._connection, sha256s, besides=besides)


class SqlRegisterStore:
    """The register on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)
        self._registered = SingleRead(engine, _REGISTERED)

    def tpp(self, authorisation_number: str) -> Tpp | None:
        """Return the TPP, or None."""
        with self._reading.connect() as connection:
            return SqlRegisterView(connection).tpp(authorisation_number)

    def tpps(self) -> Sequence[Tpp]:
        """Return every TPP, by authorisation number."""
        with self._reading.connect() as connection:
            return [_tpp(row) for row in connection.execute(select(tpps).order_by(tpps.c.authorisation_number))]

    def save_tpp(self, tpp: Tpp, at: datetime, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Keep the TPP; returns whether it is new; raises `PreconditionFailed`."""
        values = {
            "name": tpp.name,
            "country": tpp.country,
            "nca_id": tpp.nca_id,
            "nca_name": tpp.nca_name,
            "roles": format_roles(tpp.roles),
            "status": tpp.status.value,
            "updated_at": at.timestamp(),
        }
        key = {"authorisation_number": tpp.authorisation_number}
        with changing(self._engine) as connection:
            _require(connection, tpps, key, _tpp, expected)
            is_new = _save(connection, tpps, key=key, values=values, at=at)
            append_change(connection, ChangeKind.TPP, tpp.authorisation_number, at)
        return is_new

    def client(self, client_id: str) -> Client | None:
        """Return the client, or None."""
        with self._reading.connect() as connection:
            return SqlRegisterView(connection).client(client_id)

    def clients_of(self, authorisation_number: str) -> Sequence[Client]:
        """Return the clients of a TPP, by client id."""
        with self._reading.connect() as connection:
            return SqlRegisterView(connection).clients_of(authorisation_number)

    def registered(self, client_id: str) -> RegisteredClient | None:
        """Return the client together with its TPP, or None."""
        row = self._registered.row(client_id=client_id)
        return _registered_of(tuple(row.items())) if row else None

    def change_client(
        self,
        client_id: str,
        decide: Callable[[RegisterView], Client],
        at: datetime,
        expected: Precondition = WHATEVER_STANDS,
    ) -> SavedClient:
        """Keep what `decide` makes of the register, which nobody else changes meanwhile; raises `PreconditionFailed`."""
        key = {"client_id": client_id}
        with changing(self._engine) as connection:
            _require(connection, clients, key, _client, expected)
            view = SqlRegisterView(connection)
            standing, client = view.client(client_id), decide(view)
            is_new = _save(connection, clients, key=key, values=_values(client), at=at)
            if not is_same_address(client, standing):
                keep_certificates(connection, client, registered_certificates(client), at)
            append_change(connection, ChangeKind.CLIENT, client_id, at)
        return SavedClient(client, is_new)

    def publishing_clients(self) -> Sequence[Client]:
        """Return the clients that authenticate by the certificates at their `jwks_uri`."""
        query = select(clients).where(clients.c.token_endpoint_auth_method == AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH.value)
        with self._reading.connect() as connection:
            found = [_client(row) for row in connection.execute(query)]
        return [client for client in found if client.jwks_uri is not None]

    def follow_certificates(self, client: Client, sha256s: Collection[str], at: datetime) -> frozenset[str]:
        """Let a client's certificates be those that it publishes; returns those that other TPPs' clients have.

        Where the client has changed meanwhile, nothing is done.
        """
        with self._reading.connect() as connection:
            taken = taken_certificates(connection, sha256s, besides=client.authorisation_number)
            if kept_certificates(connection, client.client_id) == frozenset(sha256s) - taken:
                return taken
        with changing(self._engine) as connection:
            if SqlRegisterView(connection).client(client.client_id) == client:
                taken = taken_certificates(connection, sha256s, besides=client.authorisation_number)
                keep_certificates(connection, client, frozenset(sha256s) - taken, at)
        return taken

    def certificate_holders(self, sha256: str) -> tuple[str, ...]:
        """Return the ids of the clients that have registered a self-signed certificate."""
        with self._reading.connect() as connection:
            return holders(connection, sha256)

    def delete_client(self, client_id: str, at: datetime, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Delete the client and revoke all its tokens; returns whether it was there; raises `PreconditionFailed`."""
        key = {"client_id": client_id}
        with changing(self._engine) as connection:
            before = _standing(connection, clients, key)
            if before is None:
                return False
            _require(connection, clients, key, _client, expected)
            standing = SqlRegisterView(connection).client(client_id)
            if standing is not None:
                keep_certificates(connection, standing, (), at)
            connection.execute(delete(clients).where(clients.c.client_id == client_id))
            record_change(connection, "clients", client_id, before=before, after=None, at=at)
            # In the order in which a grant is revoked (gateway.oauth.store), so that neither waits for the other.
            for table in (refresh_tokens, access_tokens, grants):
                living = (table.c.client_id == client_id) & table.c.revoked_at.is_(None)
                connection.execute(update(table).where(living).values(revoked_at=at.timestamp()))
            append_change(connection, ChangeKind.CLIENT, client_id, at)
            # Should the client be registered again, no worker may take its dead tokens for living ones.
            append_change(connection, ChangeKind.TOKEN, EVERYTHING, at)
        return True


def _standing(connection: Connection, table: Table, key: Mapping[str, str]) -> dict[str, Any] | None:
    """Return a row as the audit tells it."""
    row = connection.execute(select(table).filter_by(**key)).one_or_none()
    if row is None:
        return None
    told: dict[str, Any] = {column: value for column, value in row._mapping.items() if column not in _BOOKKEEPING}  # noqa: SLF001 - public in SQLAlchemy
    return {**told, **json.loads(told.pop("oauth_metadata", "{}"))}


def _require(
    connection: Connection, table: Table, key: Mapping[str, str], read: Callable[[Row[Any]], object], expected: Precondition
) -> None:
    """Raise `PreconditionFailed` where another state stands than the caller has seen."""
    if expected is WHATEVER_STANDS:
        return
    row = connection.execute(select(table).filter_by(**key)).one_or_none()
    (name,) = key.values()
    require_standing(expected, f"{table.name}/{name}", read(row) if row is not None else None)


def _save(connection: Connection, table: Table, *, key: Mapping[str, str], values: Mapping[str, Any], at: datetime) -> bool:
    before = _standing(connection, table, key)
    if before is None:
        connection.execute(insert(table).values(**key, **values, created_at=at.timestamp()))
    else:
        connection.execute(update(table).filter_by(**key).values(**values))
    (name,) = key.values()
    record_change(connection, table.name, name, before=before, after=_standing(connection, table, key), at=at)
    return before is None


def _values(client: Client) -> dict[str, Any]:
    return {
        "authorisation_number": client.authorisation_number,
        "name": client.name,
        "redirect_uris": json.dumps(client.redirect_uris),
        "profile": client.profile.value,
        "token_endpoint_auth_method": client.token_endpoint_auth_method.value,
        "status": client.status.value,
        "oauth_metadata": metadata_text(client),
    }


def _columns(row: Row[Any]) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", row._mapping)  # noqa: SLF001 - public in SQLAlchemy; it also takes columns as keys


def _tpp(row: Row[Any]) -> Tpp:
    return _tpp_of(_columns(row))


def _tpp_of(columns: Mapping[str, Any], prefix: str = "") -> Tpp:
    return Tpp(
        authorisation_number=columns[f"{prefix}authorisation_number"],
        name=columns[f"{prefix}name"],
        country=columns[f"{prefix}country"],
        nca_id=columns[f"{prefix}nca_id"],
        nca_name=columns[f"{prefix}nca_name"],
        roles=read_roles(columns[f"{prefix}roles"]),
        status=TppStatus(columns[f"{prefix}status"]),
    )


@lru_cache(maxsize=_MOST_REMEMBERED)
def _registered_of(row: tuple[tuple[str, Any], ...]) -> RegisteredClient:
    """Read a row, the same each time: a client asks several times a flow, and hardly ever changes."""
    columns = dict(row)
    return RegisteredClient(_client_of(columns), _tpp_of(columns, _OF_TPP))


def _client(row: Row[Any]) -> Client:
    return _client_of(_columns(row))


def _client_of(columns: Mapping[str, Any]) -> Client:
    return Client(
        client_id=columns["client_id"],
        authorisation_number=columns["authorisation_number"],
        name=columns["name"],
        redirect_uris=tuple(json.loads(columns["redirect_uris"])),
        profile=ClientProfile(columns["profile"]),
        token_endpoint_auth_method=AuthMethod(columns["token_endpoint_auth_method"]),
        status=ClientStatus(columns["status"]),
        **read_metadata(columns["oauth_metadata"]),
    )
