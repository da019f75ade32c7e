"""The gateway's database on both engines: migrated to what the code says, and the whole flow on it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select

from chassis.sql.database import for_reading
from gateway.oauth.bootstrap import pruner
from gateway.oauth.model import secret_sha256
from gateway.tables.base import metadata
from gateway.tables.configuration import changes
from gateway.tables.oauth import access_tokens
from gateway.trust.model import TPP_STORE, OutdatedCrl
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock
from tests.support.authorization import AuthorizationWorld
from tests.support.pki import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    """Lend a migrated gateway database."""
    with databases.opened("gateway") as engine:
        yield engine


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    """Alembic, comparing the two, finds nothing to do."""
    with for_reading(engine).connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    assert found == []


def test_the_whole_flow(engine: Engine) -> None:
    """Code, tokens, refresh, revocation, replay, deletion: as on the other engine."""
    world = AuthorizationWorld(engine)
    code = world.code()
    tokens = world.redeem(code).get_json()
    refreshed = world.refresh(tokens["refresh_token"]).get_json()
    world.revoke(refreshed["access_token"])
    assert world.introspect(refreshed["access_token"]) == {"active": False}
    world.redeem(code)
    assert world.introspect(tokens["refresh_token"]) == {"active": False}

    with for_reading(engine).connect() as connection:
        told = [row.key for row in connection.execute(select(changes).where(changes.c.kind == "token").order_by(changes.c.id))]
        row = connection.execute(select(access_tokens).order_by(access_tokens.c.issued_at)).first()
    assert told[0] == secret_sha256(refreshed["access_token"])
    assert set(told[1:]) == {secret_sha256(tokens["access_token"]), secret_sha256(tokens["refresh_token"])}
    assert row is not None
    assert isinstance(row.expires_at, float)


def test_a_double_click(engine: Engine) -> None:
    """The second code takes the place of the first."""
    world = AuthorizationWorld(engine)
    first = world.code()
    second = world.resume().headers["Location"].partition("code=")[2].partition("&")[0]

    assert world.redeem(first).status_code == 400
    assert world.redeem(second).status_code == 200
    assert world.resume().status_code == 409


def test_pruning_goes_in_batches(engine: Engine) -> None:
    """More than one batch, deleted in one turn; what lives stays."""
    world = AuthorizationWorld(engine)
    for _ in range(30):
        world.token(grant_type="client_credentials")
    world.clock.advance(dt.timedelta(days=2))
    world.token(grant_type="client_credentials")

    store = pruner(world.settings, engine, world.clock)._store
    gone = [store.prune(world.clock.now() - dt.timedelta(days=1), 20) for _ in range(3)]

    assert gone == [20, 10, 0]
    with for_reading(engine).connect() as connection:
        assert connection.execute(select(func.count()).select_from(access_tokens)).scalar_one() == 1


def test_a_crl_number_of_twenty_octets_is_kept_exactly(engine: Engine) -> None:
    """Wider than any integer column."""
    trust = Trust(store=SqlTrustStore(engine), clock=SystemClock())
    authority = Authority()
    trust.replace(TPP_STORE, anchors=[authority.pem], intermediates=[])
    from cryptography.hazmat.primitives.serialization import Encoding

    trust.take_crl(TPP_STORE, authority.crl(number=2**158 + 1).public_bytes(Encoding.DER))

    with pytest.raises(OutdatedCrl, match=str(2**158 + 1)):
        trust.take_crl(TPP_STORE, authority.crl(number=2**158).public_bytes(Encoding.DER))
