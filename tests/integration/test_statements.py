"""Statements that are made once: the same on SQLite, where they go past SQLAlchemy's layers, and on PostgreSQL."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import JSON, Boolean, Column, Date, Double, MetaData, Table, Text, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from chassis.sql.database import for_reading, open_engine
from chassis.sql.statements import Change, Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

KEPT = Table(
    "kept",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("note", JSON(none_as_null=True)),
    Column("day", Date),
    Column("at", Double),
    Column("is_open", Boolean),
)
ADD = Change(insert(KEPT))
OF_NAME = Query(select(KEPT).where(KEPT.c.name == bindparam("wanted")))
ALL = Query(select(KEPT.c.name).order_by(KEPT.c.name))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    KEPT.metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_values_are_those_of_the_columns(engine: Engine) -> None:
    """By the columns' names, and by their types: SQLite has neither days nor truth."""
    written = {"name": "a", "note": {"of": [1]}, "day": date(2026, 11, 23), "at": 7, "is_open": True}
    with engine.begin() as connection:
        assert ADD.run(connection, written) == 1
        ADD.run(connection, {"name": "b", "note": None})

        row, empty = OF_NAME.first(connection, wanted="a"), OF_NAME.first(connection, wanted="b")

        assert (row.name, row.note, row.day, row.at, row.is_open) == tuple(written.values())
        assert row.is_open is True
        assert (empty.note, empty.day, empty.is_open) == (None, None, None)
        assert OF_NAME.first(connection, wanted="c") is None
        assert [each.name for each in ALL.all(connection)] == ["a", "b"]


def test_they_are_the_transaction_s(engine: Engine) -> None:
    """One with what SQLAlchemy runs itself: kept together, or not at all."""
    with engine.connect() as connection:
        ADD.run(connection, {"name": "a"})
        connection.execute(insert(KEPT).values(name="b"))
        assert len(ALL.all(connection)) == 2
        connection.rollback()

        assert ALL.all(connection) == []


def test_what_only_reads_sees_one_state(engine: Engine) -> None:
    """From its first statement on, though nothing but such statements is run in it."""
    with for_reading(engine).connect() as reading:
        assert ALL.all(reading) == []
        with engine.begin() as connection:
            ADD.run(connection, {"name": "a"})

        assert ALL.all(reading) == []

    with for_reading(engine).connect() as reading:
        assert len(ALL.all(reading)) == 1


def test_a_change_tells_how_many_rows_it_found(engine: Engine) -> None:
    """By which whoever comes second knows that he does."""
    is_open = (KEPT.c.name == bindparam("wanted")) & KEPT.c.is_open.is_(True)
    close = Change(update(KEPT).where(is_open))
    with engine.begin() as connection:
        ADD.run(connection, {"name": "a", "is_open": True})

        assert [close.run(connection, {"wanted": "a", "is_open": False}) for _ in range(2)] == [1, 0]


def test_every_parameter_counts(engine: Engine) -> None:
    """One that is missing is no NULL, and one that another call did not have is written all the same."""
    with engine.begin() as connection:
        ADD.run(connection, {"name": "a"})
        ADD.run(connection, {"name": "b", "at": 7.0})

        assert OF_NAME.first(connection, wanted="b").at == 7.0
        with pytest.raises((KeyError, StatementError), match="wanted"):
            OF_NAME.first(connection)


def test_errors_are_sqlalchemys(engine: Engine) -> None:
    """A key that is taken is told as by any statement; what was to be written is not."""
    with engine.connect() as connection:
        ADD.run(connection, {"name": "a", "note": "confidential"})
        with pytest.raises(IntegrityError) as refused:
            ADD.run(connection, {"name": "a", "note": "confidential"})

    assert "confidential" not in str(refused.value)
    with engine.begin() as connection:
        assert ALL.all(connection) == []


def test_errors_on_the_way_are_sqlalchemys_too() -> None:
    """SQLite reads a row when it is asked for: what fails at the second is an error of the database like any other."""
    engine = open_engine("sqlite://")
    KEPT.metadata.create_all(engine)
    broken = Query(select(func.json_extract(KEPT.c.name, "$").label("read")))
    with engine.connect() as connection:
        for name in ("1", "no JSON"):
            ADD.run(connection, {"name": name})

        with pytest.raises(OperationalError, match="malformed JSON"):
            broken.all(connection)


def test_a_statement_that_changes_with_its_values_is_refused() -> None:
    """A list of values is written into a statement anew each time: SQLAlchemy does that."""
    engine = open_engine("sqlite://")
    query = Query(select(KEPT).where(KEPT.c.name.in_(bindparam("names", expanding=True))))

    with engine.connect() as connection, pytest.raises(TypeError, match="takes SQLAlchemy"):
        query.all(connection, names=["a"])
