"""What `chassis.sql.database` promises to every store, on both engines; some of it only one engine could break."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from chassis.sql import database
from chassis.sql.database import first_line, for_reading, is_unavailability, one_at_a_time
from tests.support.bank_core import lent_bank
from tests.support.bank_sca import BankDesk
from tests.support.databases import PostgresStore, Templates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases
    from tests.support.postgres import Postgres

INSERT = text("INSERT INTO deliveries (subject, sha256, delivered_at) VALUES (:subject, :sha256, 0)")
COUNT = text("SELECT count(*) FROM deliveries")


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    with databases.opened("sandbox") as engine:
        yield engine


def deliver(engine: Engine, subject: str, sha256: str = "00") -> None:
    with engine.begin() as connection:
        connection.execute(INSERT, {"subject": subject, "sha256": sha256})


def take_turn(engine: Engine) -> None:
    with engine.begin() as connection:
        one_at_a_time(connection, "x")


def deliver_and_be_cut_off(engine: Engine, postgres: Postgres) -> None:
    with engine.begin() as connection:
        connection.execute(INSERT, {"subject": "lost", "sha256": "00"})
        end_sessions(engine, postgres)
        connection.execute(COUNT)


def end_sessions(engine: Engine, postgres: Postgres) -> None:
    sessions = f"pg_stat_activity WHERE datname = '{engine.url.database}'"
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM {sessions}")  # noqa: S608 - a name of this test


def test_a_reading_is_one_state_of_the_database(engine: Engine) -> None:
    """What is committed in the middle of it is for the next one."""
    with for_reading(engine).connect() as reading:
        before = reading.execute(COUNT).scalar_one()
        deliver(engine, "meanwhile")
        assert reading.execute(COUNT).scalar_one() == before

    with for_reading(engine).connect() as reading:
        assert reading.execute(COUNT).scalar_one() == before + 1


def test_nothing_is_written_or_locked_by_a_reading_on_postgresql(postgresql_templates: Templates) -> None:
    """The other engine can't tell, so this one finds who reads with a lock, or writes without a transaction for it."""
    from tests.support.databases import Databases

    assert isinstance(postgresql_templates.store, PostgresStore)
    lent = Databases(postgresql_templates)
    with lent.opened("sandbox") as engine:
        for statement in ("DELETE FROM deliveries", "SELECT 1 FROM deliveries FOR UPDATE"):
            with pytest.raises(DBAPIError, match="read-only transaction"), for_reading(engine).connect() as reading:
                reading.execute(text(statement))
    lent.close()


def test_transactions_about_one_subject_go_one_after_the_other(engine: Engine) -> None:
    """The second begins what it decides when the first has ended; it sees what the first has done."""
    told: list[int] = []

    def second() -> None:
        with engine.begin() as connection:
            one_at_a_time(connection, "deliveries", "of", "one")
            told.append(connection.execute(COUNT).scalar_one())

    with engine.begin() as first:
        one_at_a_time(first, "deliveries", "of", "one")
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        first.execute(INSERT, {"subject": "first", "sha256": "00"})
    thread.join(60)

    assert told == [1]


def test_an_error_does_not_tell_what_was_written(engine: Engine) -> None:
    """It ends in logs: the statement may stand there, its values may not."""
    deliver(engine, "one")

    with pytest.raises(IntegrityError) as refused:
        deliver(engine, "one", sha256="s3cret")

    assert "s3cret" not in str(refused.value)
    assert "INSERT" not in first_line(refused.value)


def test_a_conflict_is_no_unavailability(engine: Engine) -> None:
    """Trying again would not help."""
    deliver(engine, "one")
    with pytest.raises(IntegrityError) as conflict:
        deliver(engine, "one")
    with pytest.raises(DBAPIError) as defect, engine.begin() as connection:
        connection.execute(text("SELECT nonsense"))

    assert not is_unavailability(conflict.value)
    assert not is_unavailability(defect.value)


def test_a_lock_that_does_not_come_in_time_is_unavailability(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds, here one."""
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_MILLISECONDS", 1_000)
    monkeypatch.setitem(database._POSTGRESQL_CONNECTION, "options", "-c statement_timeout=1000")
    with databases.opened("sandbox") as engine, engine.begin() as holder:
        one_at_a_time(holder, "x")
        holder.execute(INSERT, {"subject": "x", "sha256": "00"})

        with pytest.raises(OperationalError) as late:
            take_turn(engine)

    assert is_unavailability(late.value)


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)  # SQLite has no server that could go away
def test_a_server_that_ends_the_session_is_unavailability_once(postgres: Postgres, databases: Databases) -> None:
    """Whoever was in the middle is told so; the others get a connection that works, and notice nothing."""
    with databases.opened("sandbox") as engine:
        with pytest.raises(DBAPIError) as cut:
            deliver_and_be_cut_off(engine, postgres)
        assert is_unavailability(cut.value)

        deliver(engine, "after the loss")
        end_sessions(engine, postgres)
        deliver(engine, "found out before it is used")
        with engine.connect() as connection:
            assert connection.execute(COUNT).scalar_one() == 2


def test_a_thread_never_takes_two_connections(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a pool of one: whoever wants another while he has one would wait for himself (docs/postgresql.md)."""
    monkeypatch.setattr(database, "_pool", lambda _threads: {"pool_size": 1, "max_overflow": 0, "pool_timeout": 1})
    bank = lent_bank(databases)
    desk = BankDesk(bank)

    reader = desk.reader(consent := desk.approved_consent())
    interaction, browser = desk.begin("pis", desk.payment()), desk.browser()
    browser.log_in(interaction, desk.password)
    browser.post(f"/psu/{interaction}/send")
    done = browser.post(f"/psu/{interaction}/confirm", code=desk.code())

    assert done.status_code == 303
    assert reader.get("/v1/accounts?withBalance=true", Consent_ID=consent).status_code == 200
    bank.database.engine.dispose()
