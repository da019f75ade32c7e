"""A TPP that initiates payments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.bank_payments import Till

if TYPE_CHECKING:
    from tests.support.bank_sca import BankDesk


@pytest.fixture
def till(desk: BankDesk) -> Till:
    """Lend a TPP that initiates Anna's payments."""
    return Till(desk)
