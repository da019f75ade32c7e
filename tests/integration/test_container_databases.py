"""`sandbox init` on a real PostgreSQL server: every service has its own database there, and rights in no other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import update
from sqlalchemy.exc import ProgrammingError

from chassis.addresses import PortTable
from chassis.sql.database import open_engine
from gateway.audit.row import row_of
from gateway.audit.store import Move, SqlAuditRecords
from gateway.config import load_settings as load_gateway_settings
from gateway.database import open_gateway_engine
from gateway.seeds import apply_documents_of_start
from gateway.tables.audit import audit_records
from sandbox.config import load_settings
from sandbox.containers.databases import DATABASES, USERS
from sandbox.containers.errors import NotInitialised
from sandbox.containers.initialisation import initialise
from tests.support.audit_shipping import call
from tests.support.postgres import Postgres, running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.config import SandboxSettings

HOME_OF = {user: database.name for database in DATABASES for user in database.rights}
WRITERS = sorted(USERS - {"edge"})


class Initialised:
    """A server on which `sandbox init` has run."""

    def __init__(self, postgres: Postgres, settings: SandboxSettings) -> None:
        self.postgres = postgres
        self.settings = settings

    def connected(self, user: str, database: str) -> psycopg.Connection:
        """Connect as a service's user; this server asks nobody for a password."""
        dsn = self.postgres.dsn(database).replace("user=postgres", f"user={user}")
        return psycopg.connect(dsn, autocommit=True)


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Initialised]:
    """Run it twice: the second time everything is there."""
    folder = tmp_path_factory.mktemp("init")
    with running_postgres() as postgres, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_POSTGRES_URL", superuser_url(postgres))
        patch.setenv("SANDBOX_SECRETS_FOLDER", str(folder / "secrets"))
        patch.setenv("SANDBOX_SERVICE_HOMES", str(folder / "homes"))
        settings = load_settings(home=folder / "home", base_port=PortTable().base)
        first, second = list[str](), list[str]()
        initialise(settings, first.append)
        initialise(settings, second.append)
        assert second[0] == "passwords: all there"
        assert second[-2:] == ["certificates issued: 0", "files handed out to the servers: 0"]
        yield Initialised(postgres, settings)


def superuser_url(postgres: Postgres) -> str:
    return f"postgresql://postgres@/postgres?host={socket_folder(postgres)}"


def socket_folder(postgres: Postgres) -> str:
    return dict(part.split("=") for part in postgres.dsn("postgres").split())["host"]


@pytest.mark.parametrize("user", sorted(USERS))
def test_a_service_reads_its_own_database_and_gets_into_no_other(initialised: Initialised, user: str) -> None:
    with initialised.connected(user, HOME_OF[user]) as own:
        assert own.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    for other in {"postgres", "template1", *HOME_OF.values()} - {HOME_OF[user]}:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            initialised.connected(user, other)


@pytest.mark.parametrize("user", sorted(USERS))
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (i int)",
        "DROP TABLE alembic_version",
        "ALTER TABLE alembic_version ADD COLUMN i int",
        "SET ROLE postgres",
    ],
)
def test_a_service_changes_no_schema_and_is_nobody_else(initialised: Initialised, user: str, statement: str) -> None:
    with initialised.connected(user, HOME_OF[user]) as own, pytest.raises(psycopg.errors.InsufficientPrivilege):
        own.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tpps SET status = 'active'",
        "DELETE FROM blocked_certificates",
        "DELETE FROM trust_certificates",
        "UPDATE access_tokens SET expires_at = 0",
        "INSERT INTO document_versions DEFAULT VALUES",
        "DELETE FROM admin_audit",
        "UPDATE changes SET key = ''",
    ],
)
def test_the_edge_changes_nothing_that_it_decides_by(initialised: Initialised, statement: str) -> None:
    with initialised.connected("edge", "gateway") as edge, pytest.raises(psycopg.errors.InsufficientPrivilege):
        edge.execute(statement.encode())


@pytest.mark.parametrize("table", ["limit_accounts", "ocsp_answers", "crl_points"])
def test_the_edge_keeps_what_it_counts_and_has_asked(initialised: Initialised, table: str) -> None:
    with initialised.connected("edge", "gateway") as edge:
        edge.execute(sql.SQL("DELETE FROM {} WHERE false").format(sql.Identifier(table)))


def test_the_edge_announces_whom_it_blocks(initialised: Initialised) -> None:
    with initialised.connected("edge", "gateway") as edge:
        edge.execute("INSERT INTO changes (at, kind, key) VALUES (0, 'block', '192.0.2.1')")


def test_an_edge_finds_its_documents_and_writes_none(initialised: Initialised) -> None:
    """They came with the migrations; a start of the edge would otherwise need rights to write what it decides by."""
    with initialised.connected("edge", "gateway") as edge:
        assert edge.execute("SELECT count(*) FROM document_versions WHERE kind = 'deployments'").fetchone() != (0,)
    url = f"postgresql+psycopg://edge@/gateway?host={socket_folder(initialised.postgres)}"
    engine = open_gateway_engine(url)
    apply_documents_of_start(engine, load_gateway_settings())
    engine.dispose()


@pytest.mark.parametrize("user", ["edge", "authorization"])
@pytest.mark.parametrize("table", ["audit_records", "audit_places"])
def test_who_is_recorded_neither_reads_nor_changes_audit_records(initialised: Initialised, user: str, table: str) -> None:
    with initialised.connected(user, "gateway") as connection:
        for statement in ("SELECT 1 FROM {}", "DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL(statement).format(sql.Identifier(table)))


def test_the_control_api_ships_reads_and_deletes_audit_records_and_rewrites_none(initialised: Initialised) -> None:
    engine = open_engine(initialised.postgres.url("gateway").replace("postgres@", "admin@"))
    records = SqlAuditRecords(engine)
    row = row_of(call(1), file="f", end=1)
    assert row is not None
    records.take([row], [Move(file="f", start=0, end=1)], datetime.now(UTC))
    assert records.places() == {"f": 1}
    with engine.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(update(audit_records).values(tpp="other"))
    assert records.prune(before="9", most=1, batch=10) == 1
    records.forget(["f"])
    engine.dispose()


@pytest.mark.parametrize("user", WRITERS)
def test_the_others_write(initialised: Initialised, user: str) -> None:
    table = {"bank": "tenants", "portal": "tpps"}.get(user, "clients")
    with initialised.connected(user, HOME_OF[user]) as own:
        own.execute(sql.SQL("DELETE FROM {} WHERE false").format(sql.Identifier(table)))


def test_what_a_later_migration_makes_is_theirs_too(initialised: Initialised) -> None:
    """Rights are given on tables to come, so that an upgrade needs no other step."""
    with initialised.connected("postgres", "gateway") as superuser:
        superuser.execute("SET ROLE gateway_owner")
        superuser.execute("CREATE TABLE later (id int GENERATED BY DEFAULT AS IDENTITY, what text)")
    with initialised.connected("admin", "gateway") as admin, initialised.connected("edge", "gateway") as edge:
        admin.execute("INSERT INTO later (what) VALUES ('new')")
        assert edge.execute("SELECT what FROM later").fetchone() == ("new",)


def test_nobody_can_log_in_as_an_owner_and_no_password_lies_on_the_server(initialised: Initialised) -> None:
    with initialised.connected("postgres", "postgres") as superuser:
        roles = dict(superuser.execute("SELECT rolname, rolcanlogin FROM pg_roles WHERE NOT rolname LIKE 'pg\\_%'").fetchall())
        kept = dict(superuser.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL").fetchall())
    assert {role for role, may in roles.items() if may} == USERS | {"postgres"}
    assert set(kept) == USERS
    assert {password.split("$")[0] for password in kept.values()} == {"SCRAM-SHA-256"}


def test_a_server_that_is_not_there_is_named(initialised: Initialised, tmp_path: Path) -> None:
    """One sentence, without a password."""
    changes = {"postgres_url": f"postgresql://postgres@/postgres?host={tmp_path}"}
    with pytest.raises(NotInitialised, match=r"^PostgreSQL at ") as refused:
        initialise(initialised.settings.model_copy(update=changes), lambda _text: None)
    secrets = initialised.settings.secrets_folder
    assert secrets is not None
    assert (secrets / "postgres" / "database-password").read_text() not in str(refused.value)
