"""Accounts, organisations, sessions and attempts in real databases: what only a database can promise, on both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select

from sandbox.database import developers, metadata, organisations
from sandbox.developers.attempt_store import SqlAttempts
from sandbox.developers.errors import MembershipRefused, UnknownInvitation
from sandbox.developers.model import Developer, Invitation, Organisation, Origin, PortalSession
from sandbox.developers.organisation_store import SqlOrganisations
from sandbox.developers.store import SqlDevelopers
from sandbox.tpps.store import SqlTppStore
from tests.support.register import NOW, ROOMY, RegisterWorld, registration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases

AT = NOW.timestamp()
ORIGIN = Origin(address="192.0.2.7", user_agent="Firefox")


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    with databases.opened("sandbox") as engine:
        yield engine


@pytest.fixture
def accounts(engine: Engine) -> SqlDevelopers:
    return SqlDevelopers(engine)


@pytest.fixture
def memberships(engine: Engine) -> SqlOrganisations:
    return SqlOrganisations(engine)


def person(name: str, *, email: str | None = None) -> tuple[Developer, Organisation]:
    organisation = Organisation(id=f"organisation-of-{name}", name=f"{name} GmbH", created_at=AT)
    developer = Developer(
        id=name,
        email=email or f"{name}@acme.example",
        name=name,
        organisation_id=organisation.id,
        is_operator=False,
        created_at=AT,
    )
    return developer, organisation


def added(accounts: SqlDevelopers, name: str) -> Developer:
    developer, organisation = person(name)
    assert accounts.add(developer, organisation, "hash")
    return developer


def invitation(by: Developer, key: str = "key", *, expires_at: float = AT + 60) -> Invitation:
    return Invitation(key=key, organisation_id=by.organisation_id, invited_by=by.id, created_at=AT, expires_at=expires_at)


def session(of: Developer, key: str, *, seen: float = AT) -> PortalSession:
    return PortalSession(key=key, developer_id=of.id, started_at=AT, last_seen_at=seen, expires_at=AT + 3600, origin=ORIGIN)


def test_the_migrations_make_what_the_code_expects(engine: Engine) -> None:
    """No table, column, index or foreign key more or less."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_of_many_that_sign_up_with_one_address_one_wins(accounts: SqlDevelopers, engine: Engine) -> None:
    """At the same time, in any capitals; the losers leave no organisation behind."""
    people = [person(f"p{n}", email="Anna@acme.example" if n % 2 else "anna@ACME.example") for n in range(12)]

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda one: accounts.add(*one, "hash"), people))

    assert outcomes.count(True) == 1
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(developers)).scalar_one() == 1
        assert connection.execute(select(func.count()).select_from(organisations)).scalar_one() == 1


def test_an_account_comes_back_as_it_was(accounts: SqlDevelopers) -> None:
    anna = added(accounts, "anna")

    found = accounts.credentials("anna@acme.example")

    assert found is not None
    assert (found.developer, found.password_hash) == (anna, "hash")
    assert accounts.credentials("Anna@acme.example") is None
    accounts.rename("anna", "Anna Weber")
    accounts.set_operator("anna", is_operator=True)
    assert accounts.all() == [(replace(anna, name="Anna Weber", is_operator=True), person("anna")[1])]


def test_a_hash_is_replaced_only_where_the_old_one_stands(accounts: SqlDevelopers) -> None:
    """A password changed meanwhile must not come back by a rehash of the old one."""
    added(accounts, "anna")
    accounts.set_password_hash("anna", "changed")

    accounts.set_password_hash("anna", "rehash of the old one", instead_of="hash")

    found = accounts.credentials("anna@acme.example")
    assert found is not None
    assert found.password_hash == "changed"


def test_a_password_that_was_changed_meanwhile_begins_no_session(accounts: SqlDevelopers) -> None:
    """It was right when it was typed; all sessions that it had begun are ended by now."""
    anna = added(accounts, "anna")
    accounts.set_password_hash("anna", "changed")

    assert not accounts.start_session(session(anna, "one"), password_hash="hash")

    assert accounts.visitor("one") is None


def test_a_session_tells_who_it_is(accounts: SqlDevelopers) -> None:
    anna = added(accounts, "anna")
    assert accounts.start_session(session(anna, "one"), password_hash="hash")

    found = accounts.visitor("one")

    assert found is not None
    assert (found.developer, found.organisation, found.session) == (anna, person("anna")[1], session(anna, "one"))
    assert accounts.visitor("other") is None
    accounts.note_seen("one", AT + 90)
    accounts.note_seen("one", AT + 60)
    assert [each.last_seen_at for each in accounts.sessions("anna")] == [AT + 90]


def test_sessions_are_ended_by_their_owner_only(accounts: SqlDevelopers) -> None:
    anna, bob = added(accounts, "anna"), added(accounts, "bob")
    for key in ("one", "two", "three"):
        assert accounts.start_session(session(anna, key), password_hash="hash")

    assert not accounts.end_session(bob.id, "one", AT)
    assert accounts.end_session(anna.id, "one", AT)
    assert not accounts.end_session(anna.id, "one", AT)
    assert accounts.end_sessions(anna.id, AT, except_key="two") == 1
    assert [each.key for each in accounts.sessions(anna.id)] == ["two"]
    ended = accounts.visitor("one")
    assert ended is not None
    assert not ended.session.is_open(AT)


def test_addresses_are_known_until_their_sessions_are_pruned(accounts: SqlDevelopers) -> None:
    anna = added(accounts, "anna")
    assert accounts.start_session(session(anna, "one"), password_hash="hash")
    accounts.end_session(anna.id, "one", AT)

    assert accounts.has_been_at(anna.id, ORIGIN.address)
    assert not accounts.has_been_at(anna.id, "192.0.2.8")
    accounts.prune_sessions(expired_before=AT + 3601)
    assert not accounts.has_been_at(anna.id, ORIGIN.address)


def test_attempts_at_the_same_time_are_all_counted(engine: Engine) -> None:
    """Two counters that do not see each other would let twice as many through."""
    store = SqlAttempts(engine)

    with ThreadPoolExecutor(8) as pool:
        counts = pool.map(lambda _: store.count("sign-in", "anna", now=AT, window_seconds=60).count, range(24))

    assert sorted(counts) == list(range(1, 25))


def test_a_window_of_attempts_ends_when_it_said(engine: Engine) -> None:
    """Later attempts do not prolong it; subjects and kinds are counted apart."""
    store = SqlAttempts(engine)
    first = store.count("sign-in", "anna", now=AT, window_seconds=60)
    second = store.count("sign-in", "anna", now=AT + 59, window_seconds=60)
    third = store.count("sign-in", "anna", now=AT + 60, window_seconds=60)

    assert (first.count, second.count, third.count) == (1, 2, 1)
    assert (first.window_ends_at, second.window_ends_at, third.window_ends_at) == (AT + 60, AT + 60, AT + 120)
    assert store.count("sign-in", "bob", now=AT + 60, window_seconds=60).count == 1
    assert store.count("sign-up", "anna", now=AT + 60, window_seconds=60).count == 1


def test_attempts_are_taken_back_and_forgotten(engine: Engine) -> None:
    store = SqlAttempts(engine)
    for _ in range(3):
        store.count("sign-in", "anna", now=AT, window_seconds=60)

    store.take_back("sign-in", "anna")
    assert store.count("sign-in", "anna", now=AT, window_seconds=60).count == 3
    store.forget("sign-in", "anna")
    assert store.count("sign-in", "anna", now=AT, window_seconds=60).count == 1
    store.prune(now=AT + 60)
    store.take_back("sign-in", "anna")
    assert store.count("sign-in", "anna", now=AT, window_seconds=60).count == 1


def test_an_invitation_is_used_once_however_many_try(accounts: SqlDevelopers, memberships: SqlOrganisations) -> None:
    anna = added(accounts, "anna")
    others = [added(accounts, f"p{number}") for number in range(8)]
    memberships.invite(invitation(anna), most_open=5)

    def join(one: Developer) -> bool:
        try:
            memberships.join(one, "key", now=AT)
        except UnknownInvitation:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(join, others))

    assert outcomes.count(True) == 1
    assert len(memberships.members(anna.organisation_id)) == 2


def test_a_refused_sign_up_leaves_the_invitation_open(accounts: SqlDevelopers, memberships: SqlOrganisations) -> None:
    anna = added(accounts, "anna")
    memberships.invite(invitation(anna), most_open=5)
    taken, _ = person("somebody", email="ANNA@acme.example")
    carol, _ = person("carol")

    assert not accounts.add_invited(taken, "key", "hash")
    assert accounts.add_invited(carol, "key", "hash")

    assert [member.name for member in memberships.members(anna.organisation_id)] == ["anna", "carol"]
    with pytest.raises(UnknownInvitation):
        accounts.add_invited(person("dora")[0], "key", "hash")


def test_an_expired_invitation_is_unknown(accounts: SqlDevelopers, memberships: SqlOrganisations) -> None:
    anna, bob = added(accounts, "anna"), added(accounts, "bob")
    memberships.invite(invitation(anna), most_open=5)

    assert memberships.welcome("key", now=AT + 59) is not None
    assert memberships.welcome("key", now=AT + 60) is None
    with pytest.raises(UnknownInvitation):
        memberships.join(bob, "key", now=AT + 60)
    memberships.prune_invitations(now=AT + 60)
    assert memberships.invitations(anna.organisation_id, now=AT) == []


def test_the_limit_of_invitations_holds_at_the_same_time(accounts: SqlDevelopers, memberships: SqlOrganisations) -> None:
    anna = added(accounts, "anna")

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: memberships.invite(invitation(anna, f"key{n}"), most_open=5), range(16)))

    assert outcomes.count(True) == 5


def test_the_last_two_members_can_not_both_leave_tpps_behind(
    accounts: SqlDevelopers, memberships: SqlOrganisations, engine: Engine
) -> None:
    """At the same time too: whoever is second stays."""
    anna, carol = added(accounts, "anna"), person("carol")[0]
    memberships.invite(invitation(anna), most_open=5)
    accounts.add_invited(carol, "key", "hash")
    carol = replace(carol, organisation_id=anna.organisation_id)
    tpp = RegisterWorld().register.register_new(registration()).tpp
    SqlTppStore(engine).add(replace(tpp, organisation_id=anna.organisation_id), limits=ROOMY)

    def leave(one: Developer) -> bool:
        try:
            memberships.found(one, Organisation(id=f"new-{one.id}", name="New", created_at=AT))
        except MembershipRefused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(leave, [anna, carol]))

    assert sorted(outcomes) == [False, True]
    assert len(memberships.members(anna.organisation_id)) == 1


def test_somebody_who_has_just_moved_is_not_moved_again(accounts: SqlDevelopers, memberships: SqlOrganisations) -> None:
    """Two windows, one of them behind."""
    anna = added(accounts, "anna")
    memberships.found(anna, Organisation(id="new", name="New", created_at=AT))

    with pytest.raises(MembershipRefused, match="just moved"):
        memberships.found(anna, Organisation(id="newer", name="Newer", created_at=AT))


def test_a_session_kept_through_a_move_is_for_the_new_organisation(
    accounts: SqlDevelopers, memberships: SqlOrganisations
) -> None:
    """Membership is looked up at each request, not kept in the session."""
    anna = added(accounts, "anna")
    assert accounts.start_session(session(anna, "one"), password_hash="hash")

    memberships.found(anna, Organisation(id="new", name="New", created_at=AT))

    found = accounts.visitor("one")
    assert found is not None
    assert found.organisation.name == "New"
