"""Transactions of one statement: the same on SQLite, where they go past SQLAlchemy's layers, and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Boolean, Column, Double, MetaData, Table, Text, bindparam, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from chassis.sql.database import for_reading, is_unavailability, open_engine
from chassis.sql.single_statements import SingleRead, SingleWrite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

KEPT = Table(
    "kept",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("note", Text),
    Column("at", Double),
    Column("is_open", Boolean),
)
OF_NAME = select(KEPT, func.upper(KEPT.c.name).label("loud")).where(KEPT.c.name == bindparam("wanted"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    KEPT.metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_what_is_written_is_there_for_everybody(engine: Engine) -> None:
    """Committed before the answer; types are those of the columns, not SQLite's."""
    written = SingleWrite(engine, insert(KEPT)).rows_written({"name": "a", "at": 7, "is_open": True})

    assert written == 1
    with for_reading(engine).connect() as another:
        assert another.execute(select(KEPT)).one() == ("a", None, 7.0, True)
    row = SingleRead(engine, OF_NAME).row(wanted="a")
    assert row is not None
    assert dict(row) == {"name": "a", "note": None, "at": 7.0, "is_open": True, "loud": "A"}
    assert row["is_open"] is True
    assert SingleRead(engine, OF_NAME).row(wanted="b") is None


def test_a_write_tells_how_many_rows_it_found(engine: Engine) -> None:
    """By which whoever comes second knows that he does; what the statement says by itself, None too, is said."""
    SingleWrite(engine, insert(KEPT)).rows_written({"name": "a", "note": "free"})
    is_free = (KEPT.c.name == bindparam("wanted")) & (KEPT.c.note == "free")
    claim = SingleWrite(engine, update(KEPT).where(is_free).values(note=None))

    assert [claim.rows_written({"wanted": "a"}) for _ in range(2)] == [1, 0]


def test_what_is_left_out_is_never_made_up(engine: Engine) -> None:
    """A forgotten parameter must not be NULL."""
    with pytest.raises((KeyError, StatementError), match="wanted"):
        SingleRead(engine, OF_NAME).row()


def test_errors_are_sqlalchemys(engine: Engine) -> None:
    """A key that is taken is told as by any statement; what was to be written is not."""
    add = SingleWrite(engine, insert(KEPT))
    add.rows_written({"name": "a", "note": "confidential"})

    with pytest.raises(IntegrityError) as refused:
        add.rows_written({"name": "a", "note": "confidential"})

    assert not is_unavailability(refused.value)
    assert "confidential" not in str(refused.value)
    assert add.rows_written({"name": "b"}) == 1


def test_who_waits_for_a_lock_too_long_finds_the_database_busy(engine: Engine) -> None:
    """As with every statement: a 503, and the connection is as good as before."""
    add = SingleWrite(engine, insert(KEPT))
    short = "SET lock_timeout = 50" if engine.dialect.name == "postgresql" else "PRAGMA busy_timeout = 50"
    lock = "LOCK TABLE kept" if engine.dialect.name == "postgresql" else "SELECT 1"
    with engine.begin() as holder:
        holder.execute(text(lock))
        with for_reading(engine).connect() as impatient:  # the one that is used next
            impatient.execute(text(short))
            impatient.commit()
        with pytest.raises(DBAPIError) as busy:
            add.rows_written({"name": "a"})

    assert is_unavailability(busy.value)
    assert add.rows_written({"name": "a"}) == 1


def test_a_read_holds_nothing_on_to(engine: Engine) -> None:
    """A connection that stayed in an old state would keep SQLite's journal growing."""
    read = SingleRead(engine, OF_NAME)
    assert read.row(wanted="a") is None

    with engine.begin() as connection:
        connection.execute(insert(KEPT).values(name="a"))

    assert read.row(wanted="a") is not None


def test_a_row_that_ought_to_be_the_only_one_is(engine: Engine) -> None:
    """More than one is a fault of ours, which nobody may overlook."""
    with engine.begin() as connection:
        connection.execute(insert(KEPT), [{"name": "a"}, {"name": "b"}])

    with pytest.raises(Exception, match=r"too many values|Multiple rows"):
        SingleRead(engine, select(KEPT)).row()
