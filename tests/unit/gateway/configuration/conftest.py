from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gateway.configuration.service import Configuration
from gateway.configuration.store import SqlConfigurationStore
from psd2.clock import FixedClock
from tests.support.configured import KINDS

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def configuration(engine: Engine) -> Configuration:
    """Lend an empty configuration of plans and shops."""
    return Configuration(kinds=KINDS, store=SqlConfigurationStore(engine), clock=FixedClock(NOON))
