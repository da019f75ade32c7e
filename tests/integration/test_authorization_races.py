"""What happens at the same instant, on both databases: one code is redeemed once, and nothing outlives its revocation."""

from __future__ import annotations

import datetime as dt
import os
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from gateway.oauth.bank import InteractionStatus
from gateway.oauth.ciba.bank import AskStatus
from gateway.oauth.ciba.store import SqlBackchannelStore
from gateway.oauth.model import secret_sha256
from gateway.oauth.par.model import PushedRequest
from gateway.oauth.par.store import SqlPushedRequests
from gateway.register.model import DeliveryMode, GrantType
from gateway.tables.oauth import access_tokens, authorization_codes
from tests.support.at_once import at_once as outcomes_at_once
from tests.support.authorization import CLIENT, CONSENT, AuthorizationWorld, client, qwac
from tests.support.code_race import MOST_SECONDS, redeem_all
from tests.support.once_race import use_all
from tests.support.processes import fork_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases

PROCESSES = 2
CODES = int(os.environ.get("RACES", "50"))
ONCE = CODES
ROUNDS = 30


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    """Lend a migrated gateway database."""
    with databases.opened("gateway") as engine:
        yield engine


@pytest.fixture
def world(engine: Engine) -> AuthorizationWorld:
    return AuthorizationWorld(engine)


def test_of_two_processes_one_redeems_a_code(world: AuthorizationWorld) -> None:
    """50 codes, two processes, each code at the same instant: one 200 and one invalid_grant every time.

    The loser is a replay, so that what the winner got is revoked at once (RFC 6749 §4.1.2).
    """
    codes = [world.code() for _ in range(CODES)]
    url = world.engine.url.render_as_string(hide_password=False)
    forking = fork_server()
    start, results = forking.Barrier(PROCESSES), forking.Queue()
    racers = [forking.Process(target=redeem_all, args=(url, codes, start, results)) for _ in range(PROCESSES)]
    for racer in racers:
        racer.start()
    try:
        answers = [results.get(timeout=2 * MOST_SECONDS) for _ in racers]
    finally:
        for racer in racers:
            racer.join(timeout=MOST_SECONDS)
            racer.kill()

    for pair in zip(*answers, strict=True):
        assert sorted(status for status, _ in pair) == [200, 400]
    given = [secret_sha256(token) for pair in zip(*answers, strict=True) for _, token in pair if token]
    with world.engine.connect() as connection:
        kept = connection.execute(select(access_tokens)).all()
        claimed = connection.execute(select(authorization_codes.c.claimed_at)).scalars().all()
    assert sorted(row.sha256 for row in kept) == sorted(given)
    assert all(row.revoked_at is not None for row in kept)
    assert None not in claimed


@pytest.mark.parametrize("kind", ["request_uri", "page", "assertion"])
def test_of_two_processes_one_uses_what_is_good_once(world: AuthorizationWorld, kind: str) -> None:
    """Pushed requests' answers, their pages, client assertions: each used at the same instant, each won by exactly one."""
    names = [secret_sha256(f"{kind}-{number}") for number in range(ONCE)]
    store = SqlPushedRequests(world.engine)
    for name in names if kind != "assertion" else ():
        store.add(PushedRequest(sha256=name, client_id=CLIENT, parameters={}, expires_at=world.clock.now()))
    url = world.engine.url.render_as_string(hide_password=False)
    forking = fork_server()
    start, results = forking.Barrier(PROCESSES), forking.Queue()
    racers = [forking.Process(target=use_all, args=(url, kind, names, start, results)) for _ in range(PROCESSES)]
    for racer in racers:
        racer.start()
    try:
        outcomes = [results.get(timeout=2 * MOST_SECONDS) for _ in racers]
    finally:
        for racer in racers:
            racer.join(timeout=MOST_SECONDS)
            racer.kill()

    assert all(sorted(pair) == [False, True] for pair in zip(*outcomes, strict=True))


def at_once(*actions: Callable[[], object]) -> None:
    """Run the actions in threads that begin together."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        start.wait(MOST_SECONDS)
        action()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MOST_SECONDS)
        assert not thread.is_alive()


def living_tokens(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute(select(access_tokens).where(access_tokens.c.revoked_at.is_(None))).all())


def test_no_access_token_outlives_its_revoked_refresh_token(world: AuthorizationWorld) -> None:
    """Renewed and revoked at the same instant: whichever is first, nothing lives afterwards."""
    for _ in range(ROUNDS):
        refresh_token = world.tokens()["refresh_token"]

        at_once(lambda token=refresh_token: world.refresh(token), lambda token=refresh_token: world.revoke(token))  # type: ignore[misc]

        assert living_tokens(world.engine) == 0


def test_revocations_at_the_same_instant_do_not_wait_for_each_other(world: AuthorizationWorld) -> None:
    """A whole grant and one of its tokens: both answer 200, none is stopped by a deadlock."""
    for _ in range(ROUNDS):
        tokens = world.tokens()
        statuses: list[int] = []

        def revoke(token: str, into: list[int] = statuses) -> None:
            into.append(world.revoke(token).status_code)

        at_once(
            lambda token=tokens["refresh_token"], revoke=revoke: revoke(token),  # type: ignore[misc]
            lambda token=tokens["access_token"], revoke=revoke: revoke(token),  # type: ignore[misc]
        )

        assert statuses == [200, 200]


def test_no_access_token_outlives_its_deleted_client(world: AuthorizationWorld) -> None:
    """Asked for and deleted at the same instant."""
    for _ in range(ROUNDS):
        at_once(lambda: world.token(grant_type="client_credentials"), lambda: world.register.delete_client(CLIENT))

        assert living_tokens(world.engine) == 0
        world.register.save_client(client())


def test_a_double_click_at_the_same_instant_leaves_one_code(world: AuthorizationWorld) -> None:
    """Two answers of one authorisation: at most one code of it can be redeemed."""
    for _ in range(ROUNDS):
        world.authorize()
        world.bank.settle(InteractionStatus.APPROVED)
        at_once(world.resume, world.resume)

    with world.engine.connect() as connection:
        assert len(connection.execute(select(authorization_codes)).all()) == ROUNDS


def asked_psu(world: AuthorizationWorld) -> str:
    """Have a PSU asked in its bank app, who approves."""
    asked = {"client_id": CLIENT, "scope": f"AIS:{CONSENT}", "login_hint": "anna.weber"}
    auth_req_id: str = world.edge("/bc-authorize", qwac(), data=asked).get_json()["auth_req_id"]
    world.bank.decide_ask(AskStatus.APPROVED)
    return auth_req_id


@pytest.mark.parametrize("is_paced", [True, False])
def test_of_polls_at_the_same_instant_one_gets_tokens(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, *, is_paced: bool
) -> None:
    """The interval lets one through; where it did not, the row of the code would. What was given lives on."""
    if not is_paced:
        monkeypatch.setattr(SqlBackchannelStore, "note_poll", lambda *_: None)
    world = AuthorizationWorld(engine)
    grants = (GrantType.CIBA, GrantType.REFRESH_TOKEN)
    world.register.save_client(client(grant_types=grants, backchannel_token_delivery_mode=DeliveryMode.POLL))
    for _ in range(ROUNDS // 3):
        auth_req_id = asked_psu(world)
        world.clock.advance(dt.timedelta(seconds=10))
        poll = partial(world.token, grant_type=GrantType.CIBA.value, auth_req_id=auth_req_id)
        answers = outcomes_at_once(poll, poll, poll, poll)

        given = [answer.get_json() for answer in answers if not isinstance(answer, Exception) and answer.status_code == 200]
        assert len(given) == 1, answers
        assert world.introspect(given[0]["access_token"])["active"]


def test_of_replacements_of_a_grant_at_the_same_instant_one_consent_stays(world: AuthorizationWorld) -> None:
    """Each replaces what another has put there, whichever comes first: with its tokens, and with its consent at the bank."""
    create = {"scope": "accounts", "grant_management_action": "create"}
    for _ in range(ROUNDS // 3):
        grant = world.tokens(**create)["grant_id"]
        replace = {"grant_management_action": "replace", "grant_id": grant}
        redemptions = [partial(world.redeem, world.code(**(create | replace))) for _ in range(3)]
        world.bank.ended.clear()

        answers = outcomes_at_once(*redemptions)

        given = [answer.get_json() for answer in answers if not isinstance(answer, Exception) and answer.status_code == 200]
        assert len(given) == len(redemptions), answers
        living = [tokens for tokens in given if world.introspect(tokens["access_token"])["active"]]
        assert [tokens["scope"] for tokens in living] == [
            tokens["scope"] for tokens in given if tokens["scope"] not in world.bank.ended
        ]
        assert len(living) == 1
