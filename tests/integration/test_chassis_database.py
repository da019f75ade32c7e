"""Databases: migrated once, refused when newer than the code, and writers that queue instead of failing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from chassis.sql.database import (
    EXIT_OK,
    EXIT_UNUSABLE,
    DatabaseBehind,
    DatabaseProblem,
    DatabaseTooNew,
    database_command,
    for_reading,
    migrate,
    open_engine,
    require_current,
)

SERVICES = ["gateway", "bank_backend", "sandbox"]


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_run_on_both_engines_and_twice(service: str, database_url: str) -> None:
    """From nothing to current; a second run changes nothing."""
    engine = open_engine(database_url)
    with pytest.raises(DatabaseBehind, match=f"python -m {service}.database"):
        require_current(engine, service)
    migrate(engine, service)
    migrate(engine, service)
    require_current(engine, service)
    engine.dispose()


@pytest.mark.parametrize("service", SERVICES)
def test_every_revision_is_named_by_its_file(service: str) -> None:
    """The newest revision is known without loading alembic, by the names of the files alone."""
    folder = Path(__file__).parents[2] / service / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    scripts = list(ScriptDirectory.from_config(config).walk_revisions())

    named = {script.revision: Path(script.path).name for script in scripts}
    assert all(name.startswith(f"{revision}_") for revision, name in named.items())
    assert [script.revision for script in scripts] == sorted(named, reverse=True)


@pytest.mark.parametrize("service", SERVICES)
def test_a_database_of_newer_code_is_refused_in_one_sentence(
    service: str, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code must not touch what it does not know."""
    engine = open_engine(database_url)
    migrate(engine, service)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="9999"):
        require_current(engine, service)
    engine.dispose()
    assert database_command(service, database_url) == EXIT_UNUSABLE
    said = capsys.readouterr().err
    assert "newer code" in said
    assert said.count("\n") == 1


def test_a_file_that_is_no_database_is_refused_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback for a file that something else has written."""
    (tmp_path / "gateway.sqlite").write_text("this is a shopping list, not a database " * 50)
    assert database_command("gateway", f"sqlite:///{tmp_path / 'gateway.sqlite'}") == EXIT_UNUSABLE
    said = capsys.readouterr().err
    assert "gateway.sqlite" in said
    assert "Traceback" not in said


def test_a_damaged_file_is_a_problem_with_a_sentence_wherever_it_is_opened(tmp_path: Path) -> None:
    """A command that only reads says the same as the migration: no traceback of the driver's."""
    damaged = tmp_path / "bank.sqlite"
    damaged.write_bytes(b"not a database at all, and long enough to be looked at" * 40)
    engine = open_engine(f"sqlite:///{damaged}")
    with pytest.raises(DatabaseProblem, match=r"bank\.sqlite can't be used .*restore"), for_reading(engine).connect():
        pass
    engine.dispose()


def test_a_password_in_the_url_is_never_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The server is not there; the sentence hides the password."""
    assert database_command("gateway", "postgresql://me:hunter2@127.0.0.1:1/nowhere?connect_timeout=2") == EXIT_UNUSABLE
    assert "hunter2" not in capsys.readouterr().err


def test_an_unreadable_url_is_refused_with_the_right_form() -> None:
    """A typing error in the settings."""
    with pytest.raises(DatabaseProblem, match="sqlite:///FILE"):
        open_engine("not a url")


def test_replicas_that_start_together_migrate_once(database_url: str) -> None:
    """Four at once: every one returns with a current database."""
    failures: list[BaseException] = []

    def start() -> None:
        try:
            assert database_command("gateway", database_url) == EXIT_OK
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)

    replicas = [threading.Thread(target=start) for _ in range(4)]
    for replica in replicas:
        replica.start()
    for replica in replicas:
        replica.join(timeout=60)
    assert failures == []
    engine = open_engine(database_url)
    require_current(engine, "gateway")
    engine.dispose()


def test_writers_queue_and_no_update_is_lost(tmp_path: Path) -> None:
    """Read-modify-write by eight threads: with a deferred BEGIN some would fail with "database is locked"."""
    engine = open_engine(f"sqlite:///{tmp_path / 'count.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def count() -> None:
        for _ in range(20):
            with engine.begin() as connection:
                standing = connection.execute(text("SELECT n FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": standing + 1})

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with for_reading(engine).connect() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 160
    engine.dispose()


def test_who_opens_a_new_file_waits_for_who_writes_to_it(tmp_path: Path) -> None:
    """SQLite itself refuses to begin its journal then, however long it may wait: two workers that start at once do that."""
    file = tmp_path / "new.sqlite"
    writer = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.5, writer.execute, ["COMMIT"])
    done.start()
    engine = open_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    engine.dispose()
    done.join()
    writer.close()


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    """A reading view takes no write lock, so it answers while another connection is writing."""
    engine = open_engine(f"sqlite:///{tmp_path / 'read.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with engine.begin() as writer:
        writer.execute(text("INSERT INTO t VALUES (1)"))
        with for_reading(engine).connect() as reader:
            assert reader.execute(text("SELECT count(*) FROM t")).scalar_one() == 0
    engine.dispose()


def test_a_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds password hashes and PSUs' messages: other users read neither it nor what SQLite puts beside it."""
    file = tmp_path / "bank.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))

    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}

    engine.dispose()
    assert modes == dict.fromkeys(("bank.sqlite", "bank.sqlite-wal", "bank.sqlite-shm"), "0o600")


def test_a_second_engine_leaves_the_first_its_locks(tmp_path: Path) -> None:
    """Without them, another process that closes the file takes its journal away, and the two write past each other."""
    file, journal = tmp_path / "twice.sqlite", tmp_path / "twice.sqlite-wal"
    first = open_engine(f"sqlite:///{file}")
    with first.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    second = open_engine(f"sqlite:///{file}")

    come_and_go = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM t').connection.close()"
    subprocess.run([sys.executable, "-c", come_and_go, str(file)], check=True, timeout=60)

    assert journal.exists()
    first.dispose()
    second.dispose()


def test_a_journal_that_grew_in_a_rush_shrinks_again(tmp_path: Path) -> None:
    """Once what it held is in the database: disk is given back without a restart."""
    engine, journal = open_engine(f"sqlite:///{tmp_path / 'rush.sqlite'}"), tmp_path / "rush.sqlite-wal"
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE rush (content BLOB)"))
        connection.execute(text("INSERT INTO rush VALUES (zeroblob(40 * 1024 * 1024))"))
    assert journal.stat().st_size > 40 * 1024 * 1024

    for _ in range(2):  # what was committed is moved after one transaction, and the journal begun anew by the next
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO rush VALUES (zeroblob(1))"))

    assert journal.stat().st_size <= 32 * 1024 * 1024
    engine.dispose()


def test_a_folder_in_the_place_of_a_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """The sentence names the file."""
    with pytest.raises(DatabaseProblem, match=f"{tmp_path.name} can't be opened"):
        open_engine(f"sqlite:///{tmp_path}")
