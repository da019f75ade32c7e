"""What is told of certificates that end, on both databases: once, whoever looks at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from gateway.admin_audit.chain import verified_chain
from gateway.admin_audit.store import SqlAdminAudit
from gateway.certificates.expiry_watch import ExpiryWatch
from gateway.tables.configuration import admin_audit
from gateway.tables.trust import expiry_notices
from psd2.clock import FixedClock
from tests.support.stored_certificates import NOW
from tests.unit.gateway.certificates.test_expiry import ending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases

PROCESSES = 4


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    """Lend a migrated gateway database."""
    with databases.opened("gateway") as engine:
        yield engine


def test_of_several_that_look_at_once_one_tells(engine: Engine) -> None:
    """And the audit's chain stays whole."""
    watched = [ending(20), ending(5, place="certs/servers/edge.crt"), ending(300, place="trust-stores/tpp")]
    watches = [ExpiryWatch(engine=engine, watched=lambda: watched, clock=FixedClock(NOW)) for _ in range(PROCESSES)]
    with ThreadPoolExecutor(PROCESSES) as threads:
        told = list(threads.map(lambda watch: watch.tell_due(), watches))

    assert sum(told) == 2
    with engine.connect() as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in (expiry_notices, admin_audit)]
    assert counts == [2, 2]
    assert verified_chain(SqlAdminAudit(engine).chain()).head.number == 2
