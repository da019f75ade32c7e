"""A bank that tests of refusals share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.bank_core import lent_bank
from tests.support.bank_sca import BankDesk
from tests.support.small_data import SMALL, bring_in_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases


@pytest.fixture(scope="module")
def little(module_unit_databases: Databases) -> Iterator[BankDesk]:
    """Lend a bank where the TPP has the small data set. Its tests share it: what they send is refused, and changes nothing."""
    bank = lent_bank(module_unit_databases)
    desk = BankDesk(bank)
    assert bring_in_json(desk, SMALL).status_code == 200
    yield desk
    bank.database.engine.dispose()
