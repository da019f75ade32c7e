"""Makes users, databases and rights on a PostgreSQL server what they ought to be; may be run again at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from chassis.settings import with_password
from sandbox.containers.databases import DATABASES, READ
from sandbox.containers.errors import NotInitialised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.containers.databases import ServiceDatabase

_CONNECT_SECONDS: Final = 10
_LOCK: Final = 7_295_003  # any constant: one `sandbox init` at a time


def ensure_databases(superuser_url: str, password: str, user_passwords: Mapping[str, str]) -> None:
    """Make users, databases and rights what they ought to be; raises `NotInitialised`."""
    url = with_password(superuser_url, password)
    try:
        with _connected(url, "postgres") as server:
            server.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            for maintenance in ("postgres", "template1"):
                _require_nobody_else_in(maintenance, server)
            for database in DATABASES:
                _ensure_database(server, database, user_passwords)
            for database in DATABASES:
                # In one: at no moment may anybody do more.
                with _connected(url, database.name) as inside, inside.transaction():
                    _ensure_rights(inside, database)
                    _ensure_rights_on_tables(inside, database)
    except psycopg.Error as error:
        raise _not_initialised(superuser_url, error) from error


def _not_initialised(superuser_url: str, error: psycopg.Error) -> NotInitialised:
    return NotInitialised(f"PostgreSQL at {urlsplit(superuser_url).hostname}: {str(error).strip()}")


def ensure_rights_on_tables(superuser_url: str, password: str) -> None:
    """Give users what they may do to single tables that the migrations have just made; raises `NotInitialised`."""
    url = with_password(superuser_url, password)
    try:
        for database in DATABASES:
            with _connected(url, database.name) as inside, inside.transaction():
                _ensure_rights_on_tables(inside, database)
    except psycopg.Error as error:
        raise _not_initialised(superuser_url, error) from error


def _connected(url: str, database: str) -> psycopg.Connection:
    return psycopg.connect(url, dbname=database, autocommit=True, connect_timeout=_CONNECT_SECONDS)


def _ensure_database(server: psycopg.Connection, database: ServiceDatabase, user_passwords: Mapping[str, str]) -> None:
    _ensure_role(server, database.owner, "NOLOGIN")
    for user in database.rights:
        _ensure_role(server, user, "LOGIN")
        # The verifier, computed here: a server that logs its statements must not log a password.
        verifier = server.pgconn.encrypt_password(user_passwords[user].encode(), user.encode(), b"scram-sha-256").decode()
        server.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(verifier)))
    if not _exists(server, "SELECT 1 FROM pg_database WHERE datname = %s", database.name):
        made = sql.SQL("CREATE DATABASE {} OWNER {}")
        server.execute(made.format(sql.Identifier(database.name), sql.Identifier(database.owner)))
    _require_nobody_else_in(database.name, server)
    users = sql.SQL(", ").join(map(sql.Identifier, database.rights))
    server.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database.name), users))


def _ensure_role(server: psycopg.Connection, role: str, may_log_in: str) -> None:
    verb = "ALTER" if _exists(server, "SELECT 1 FROM pg_roles WHERE rolname = %s", role) else "CREATE"
    nothing_more = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    server.execute(sql.SQL(f"{verb} ROLE {{}} {may_log_in} {nothing_more}").format(sql.Identifier(role)))


def _require_nobody_else_in(database: str, server: psycopg.Connection) -> None:
    # By default anybody may connect to any database.
    server.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))


def _ensure_rights(inside: psycopg.Connection, database: ServiceDatabase) -> None:
    owner = sql.Identifier(database.owner)
    inside.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
    inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for user, rights in database.rights.items():
        who, everywhere = sql.Identifier(user), rights.everywhere
        inside.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(who))
        for kind, may in (("TABLES", everywhere), ("SEQUENCES", READ if everywhere == READ else "USAGE, SELECT")):
            # On what is there, and on what later migrations make.
            inside.execute(sql.SQL(f"GRANT {may} ON ALL {kind} IN SCHEMA public TO {{}}").format(who))
            later = f"ALTER DEFAULT PRIVILEGES FOR ROLE {{}} IN SCHEMA public GRANT {may} ON {kind} TO {{}}"
            inside.execute(sql.SQL(later).format(owner, who))


def _ensure_rights_on_tables(inside: psycopg.Connection, database: ServiceDatabase) -> None:
    for user, rights in database.rights.items():
        for table, may in rights.on.items():
            if _exists(inside, "SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tablename = %s", table):
                _give(inside, user, table, may)  # others are still to be migrated


def _give(inside: psycopg.Connection, user: str, table: str, may: str) -> None:
    where, who = sql.Identifier("public", table), sql.Identifier(user)
    inside.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(where, who))
    if not may:
        return
    inside.execute(sql.SQL(f"GRANT {may} ON {{}} TO {{}}").format(where, who))
    owned = (
        "SELECT s.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a' "
        "JOIN pg_class t ON t.oid = d.refobjid WHERE s.relkind = 'S' AND t.relname = %s"
    )
    for (sequence,) in inside.execute(owned, (table,)).fetchall():
        inside.execute(sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(sql.Identifier(sequence), who))


def _exists(server: psycopg.Connection, query: str, name: str) -> bool:
    return server.execute(query.encode(), (name,)).fetchone() is not None
