"""A seeded bank for every test of the bank."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from tests.support import berlin_group
from tests.support.bank_core import SeededBank, lent_bank, seed_bank
from tests.support.bank_sca import BankDesk
from tests.support.judged_answers import judged_answers

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.support.databases import Databases


_JUDGE = berlin_group.Judge()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Fail a test whose bank has answered what the Berlin Group's YAMLs, or its own OpenAPI document, do not describe."""
    if not berlin_group.are_present():
        warnings.warn(berlin_group.ABSENT, stacklevel=1)
    with judged_answers(_JUDGE if berlin_group.are_present() else None) as wrong:
        outcome = yield
    if wrong:
        listed = "\n".join(dict.fromkeys(wrong))
        pytest.fail(f"answered otherwise than the specifications say:\n{listed}", pytrace=False)
    return outcome


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
    bank = lent_bank(unit_databases, is_lasting=True)
    yield bank
    bank.database.engine.dispose()


@pytest.fixture
def desk(bank: SeededBank) -> BankDesk:
    """Lend the bank with TPPs, platform services and browsers around it."""
    return BankDesk(bank)
