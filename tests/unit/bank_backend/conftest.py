"""A seeded bank for every test of the bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.bank_core import SeededBank, lent_bank, seed_bank
from tests.support.bank_sca import BankDesk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Databases


@pytest.fixture(scope="session")
def bank_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a seeded database file, made once."""
    file = tmp_path_factory.mktemp("bank") / "template.sqlite"
    bank = seed_bank(f"sqlite:///{file}")
    # Closing the last connection moves the write-ahead log into the one file that is copied.
    bank.database.engine.dispose()
    return file


@pytest.fixture
def bank(unit_databases: Databases) -> Iterator[SeededBank]:
    """Lend a seeded bank of the test's own."""
    bank = lent_bank(unit_databases)
    yield bank
    bank.database.engine.dispose()


@pytest.fixture
def desk(bank: SeededBank) -> BankDesk:
    """Lend the bank with TPPs, platform services and browsers around it."""
    return BankDesk(bank)
