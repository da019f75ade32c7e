"""Who works on a certificate, on both databases: of several that come at once, one; and account keys are made once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from chassis.sealing import KeyFile, Seal
from gateway.acme.store import SqlAcme
from tests.support.at_once import at_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Databases

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PROCESSES = 6


@pytest.fixture
def kept(databases: Databases, tmp_path: Path) -> Iterator[SqlAcme]:
    """Lend what several processes share."""
    with databases.opened("gateway") as engine:
        yield SqlAcme(engine, Seal(KeyFile(tmp_path / "key")))


def test_of_several_that_come_at_once_one_has_it(kept: SqlAcme) -> None:
    """The first time, and again when a lease has run out."""
    for now in (NOW, NOW + timedelta(hours=1)):
        take = partial(kept.is_leased, "shop", until=now + timedelta(minutes=5), now=now)
        assert sorted(map(str, at_once(*[take] * PROCESSES))) == ["False"] * (PROCESSES - 1) + ["True"]
        assert not take()


def test_an_account_has_one_key(kept: SqlAcme) -> None:
    """Whoever makes one at the same moment takes the other's."""
    makers = [partial(kept.keep_account_key, "public", "https://acme.example/", f"key {number}", NOW) for number in range(3)]
    assert len({str(made) for made in at_once(*makers)}) == 1
