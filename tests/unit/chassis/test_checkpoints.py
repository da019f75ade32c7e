"""SQLite's journal goes back into the database with one commit of many, and begins anew then."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, insert, select, text

from chassis.sql import checkpoints
from chassis.sql.checkpoints import COMMITS
from chassis.sql.database import for_reading, open_engine
from chassis.sql.single_statements import SingleWrite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_metadata = MetaData()
# Each commit writes some pages: more than a thousand in all, at which SQLite would begin.
things = Table(
    "things",
    _metadata,
    Column("id", Integer, primary_key=True),
    *(Column(name, Integer, index=True) for name in "abcdef"),
)
ROW = dict.fromkeys("abcdef", 1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Return a database with a table; what made it has been counted by an engine of its own."""
    url = f"sqlite:///{tmp_path / 'things.sqlite'}"
    made = open_engine(url)
    _metadata.create_all(made)
    made.dispose()
    engine = open_engine(url)
    yield engine
    engine.dispose()


def in_a_transaction(engine: Engine) -> Callable[[], object]:
    def write() -> None:
        with engine.begin() as connection:
            connection.execute(insert(things), ROW)

    return write


def by_itself(engine: Engine) -> Callable[[], object]:
    put = SingleWrite(engine, insert(things))
    return lambda: put.rows_written(ROW)


def journal(engine: Engine) -> bytes:
    """Return how the journal begins: with other numbers each time that it begins anew (SQLite's file format §4.1)."""
    return Path(f"{engine.url.database}-wal").read_bytes()[:32]


@pytest.mark.parametrize("writing", [in_a_transaction, by_itself])
def test_the_journal_begins_anew_with_one_commit_of_many(
    engine: Engine, writing: Callable[[Engine], Callable[[], object]]
) -> None:
    """Not before, though SQLite would; whoever only reads is not counted."""
    write = writing(engine)
    write()
    first = journal(engine)
    for _ in range(COMMITS - 2):
        write()
    with for_reading(engine).connect() as connection:
        connection.execute(text("SELECT count(*) FROM things"))
    write()
    assert journal(engine) == first
    write()
    assert journal(engine) != first


def test_a_reader_that_stays_keeps_nobody_waiting(engine: Engine) -> None:
    """The journal goes on until a later turn; and the connection is as patient with other writers as it was."""
    write = by_itself(engine)
    write()
    first = journal(engine)
    with for_reading(engine).connect() as reader:
        reader.execute(text("SELECT count(*) FROM things"))
        for _ in range(COMMITS):
            write()
        with engine.connect() as writer:
            assert writer.scalar(text("PRAGMA busy_timeout")) == 10_000
        assert reader.scalar(text("SELECT count(*) FROM things")) == 1
    assert journal(engine) == first


def test_who_reads_on_the_connection_that_has_written_is_not_told_that_it_failed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite puts nothing back for a connection that still reads; what is committed then is committed."""
    monkeypatch.setattr(checkpoints, "COMMITS", 1)
    with engine.begin() as connection:
        connection.execute(insert(things), [ROW, ROW])

    with engine.begin() as connection:
        unread = connection.execute(select(things))
        assert unread.fetchone() is not None
        connection.execute(insert(things), ROW)

    with for_reading(engine).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM things")) == 3


@pytest.mark.parametrize("writing", [in_a_transaction, by_itself])
def test_a_journal_that_can_not_be_put_back_makes_no_commit_fail(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, writing: Callable[[Engine], Callable[[], object]]
) -> None:
    """A disk without room for it, say: who is told that nothing was written writes it a second time."""

    def fail(_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(checkpoints, "_put_back", fail)
    write = writing(engine)

    for _ in range(COMMITS):
        write()

    with for_reading(engine).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM things")) == COMMITS
