"""The bank's migrations on real SQLite and PostgreSQL: they make exactly the code's tables."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bank_backend.database import METADATA
from chassis.sql.database import for_reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    """Lend a migrated bank database, with every domain's tables known to the metadata."""
    importlib.import_module("bank_backend.bootstrap")
    with databases.opened("bank_backend") as engine:
        yield engine


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    """Alembic, comparing the two, finds nothing to do."""
    with for_reading(engine).connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)

    assert found == []
