"""CRLs that stood in the gateway's database before their serial numbers were laid out (revision 0002) go on revoking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text

from chassis.sql.database import migrate, open_engine
from gateway.trust.snapshot_store import read_snapshot
from tests.support.pki import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from tests.support.databases import Databases


@pytest.fixture
def before(databases: Databases) -> Iterator[Engine]:
    """Lend a database of the first revision."""
    engine = open_engine(databases.empty())
    with engine.begin() as connection:
        _to_revision(connection, "0001")
    yield engine
    engine.dispose()


def _to_revision(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "gateway/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_a_list_taken_before_the_migration_still_revokes(before: Engine) -> None:
    """The gateway need not be sent it again."""
    authority = Authority()
    revoked, other = authority.qwac(), authority.qwac()
    row = {
        "issuer": "ab" * 32,
        "der": authority.crl(revoked, number=7).public_bytes(Encoding.DER),
    }
    with before.begin() as connection:
        connection.execute(text("INSERT INTO crls VALUES ('tpp', :issuer, '7', 100, 200, :der)"), row)

    migrate(before, "gateway")

    crl = read_snapshot(before, "tpp").crls["ab" * 32]
    assert (crl.number, crl.this_update, crl.next_update) == (7, 100, 200)
    assert revoked.certificate.serial_number in crl.revoked
    assert other.certificate.serial_number not in crl.revoked
