"""Changes of what the gateway trusts and knows at the same instant: on each engine as if one had come after the other."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import func, select

from gateway.oauth.bootstrap import pruner
from gateway.register.model import TooManyClients, Tpp, TppStatus
from gateway.register.store import SqlRegisterStore
from gateway.tables.oauth import access_tokens
from gateway.trust.model import TPP_STORE, OutdatedCrl
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock
from tests.support.at_once import at_once
from tests.support.authorization import CLIENT, NUMBER, AuthorizationWorld, client
from tests.support.pki import ALL_ROLES, Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from gateway.register.service import SavedClient
    from tests.support.databases import Databases

ROUNDS = 20


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    with databases.opened("gateway") as engine:
        yield engine


@pytest.fixture
def trust(engine: Engine) -> Trust:
    return Trust(store=SqlTrustStore(engine), clock=SystemClock())


def test_of_two_replacements_of_the_trust_store_one_stands_whole(trust: Trust) -> None:
    """A mixture of both would trust authorities that neither operator named together."""
    first, second = ([Authority(f"{name} {number}").pem for number in range(3)] for name in ("first", "second"))
    for _ in range(ROUNDS):
        done = at_once(*[partial(trust.replace, TPP_STORE, anchors=pems, intermediates=[]) for pems in (first, second)])

        assert not [each for each in done if isinstance(each, Exception)]
        assert sorted(each.pem for each in trust._store.certificates(TPP_STORE)) in (sorted(first), sorted(second))


def test_of_lists_that_arrive_together_the_newest_is_in_force(trust: Trust) -> None:
    """The very first of an issuer too, whose row nothing could lock."""
    for number_of_authority in range(ROUNDS // 2):
        authority = Authority(f"CA {number_of_authority}")
        trust.replace(TPP_STORE, anchors=[authority.pem], intermediates=[])
        lists = [authority.crl(number=number).public_bytes(Encoding.DER) for number in (3, 1, 2)]

        taken = at_once(*[lambda der=der: trust.take_crl(TPP_STORE, der).number for der in lists])

        assert taken[0] == 3
        assert all(isinstance(each, int | OutdatedCrl) for each in taken)
        with pytest.raises(OutdatedCrl, match="number 3 is in force"):
            trust.take_crl(TPP_STORE, lists[2])


def test_a_certificate_that_several_block_at_once_is_blocked(trust: Trust) -> None:
    """Once new, then known, and never an error."""
    for number in range(ROUNDS):
        blocked = at_once(*[lambda number=number: trust.block(f"{number:064x}", "stolen")] * 3)

        assert sorted(blocked, key=str) == [False, False, True]


def test_a_tpp_that_several_save_at_once_is_saved(engine: Engine) -> None:
    """Once new, then changed, and never an error: its client after it in the same way."""
    store, now = SqlRegisterStore(engine), SystemClock().now()
    for number in range(ROUNDS):
        tpp = Tpp(
            authorisation_number=f"PSDDE-BAFIN-{number}",
            name="Acme",
            country="DE",
            nca_id="DE-BAFIN",
            nca_name="BaFin",
            roles=ALL_ROLES,
            status=TppStatus.ACTIVE,
        )
        saved = at_once(*[lambda tpp=tpp: store.save_tpp(tpp, now)] * 3)

        assert sorted(saved, key=str) == [False, False, True]


def test_each_of_two_changes_of_a_client_is_made_of_the_other(engine: Engine) -> None:
    """Neither takes back what it has not seen: what stands is read in the transaction that changes it."""
    register = AuthorizationWorld(engine).register
    for number in range(ROUNDS):
        name, operator = f"name {number}", f"https://directory-{number}.example"

        def change(**changes: Any) -> SavedClient:
            return register.change_client(CLIENT, lambda standing: replace(standing or client(), **changes))

        done = at_once(partial(change, name=name), partial(change, software_statement_issuer=operator))

        assert not [each for each in done if isinstance(each, Exception)]
        kept = register.client(CLIENT)
        assert kept is not None
        assert (kept.name, kept.software_statement_issuer) == (name, operator)


def test_a_tpp_has_no_client_more_than_it_may_have(engine: Engine) -> None:
    """Whatever comes at once: of four, the one that there is room for is taken."""
    register = AuthorizationWorld(engine).register
    for number in range(ROUNDS):
        most = len(register.clients_of(NUMBER)) + 1
        new = [client(client_id=f"client-of-{number}-{place}") for place in range(4)]

        done = at_once(*[partial(register.save_client, each, most_of_tpp=most) for each in new])

        assert [each for each in done if not isinstance(each, TooManyClients)] == [True]
        assert len(register.clients_of(NUMBER)) == most


def test_a_client_deleted_and_a_grant_of_it_revoked_at_once_do_not_wait_for_each_other(engine: Engine) -> None:
    """Both end the same tokens: in the same order, or each would hold what the other waits for."""
    world = AuthorizationWorld(engine)
    for _ in range(ROUNDS):
        token = world.tokens()["refresh_token"]
        for _ in range(4):
            world.refresh(token)

        done: list[Any] = at_once(partial[Any](world.register.delete_client, CLIENT), partial[Any](world.revoke, token))

        assert not [each for each in done if isinstance(each, Exception)]
        assert done[1].status_code in {200, 401}  # 401: its client is gone already
        world.register.save_client(client())


def test_pruners_of_several_processes_share_the_work(engine: Engine) -> None:
    """Every expired token goes once; none waits for another's batch, and none fails."""
    world = AuthorizationWorld(engine)
    for _ in range(40):
        world.token(grant_type="client_credentials")
    world.clock.advance(dt.timedelta(days=2))
    store = pruner(world.settings, engine, world.clock)._store
    before = world.clock.now() - dt.timedelta(days=1)

    gone = at_once(*[lambda: store.prune(before, 10)] * 4)

    assert gone == [10] * 4
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(access_tokens)).scalar_one() == 0
