"""What the register of TPPs is told at the same instant: on each engine as if one had come after the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from psd2.clock import FixedClock
from sandbox.tpps.errors import RegistrationConflict
from sandbox.tpps.model import TppStatus
from sandbox.tpps.store import SqlTppStore
from sandbox.trust.store import SqlDeliveries
from tests.support.at_once import at_once
from tests.support.register import NOW, RegisterWorld, registration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from sandbox.tpps.model import Tpp
    from tests.support.databases import Databases

THREADS, ROUNDS = 6, 12


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    with databases.opened("sandbox") as engine:
        yield engine


def tpp(number: int) -> Tpp:
    wanted = registration(name=f"acme-{number}", authorisation_number=f"PSDDE-BAFIN-{number}")
    return RegisterWorld().register.register_new(wanted).tpp


def test_a_number_is_registered_once(engine: Engine) -> None:
    """By six applicants at once: one has it, the others are told."""
    store = SqlTppStore(engine)
    for number in range(ROUNDS):
        added = at_once(*[partial(store.add, tpp(number))] * THREADS)

        assert Counter(type(each) for each in added) == {type(None): 1, RegistrationConflict: THREADS - 1}


def test_a_registration_is_finished_once(engine: Engine) -> None:
    """Of several that finish it at once, one gets the certificates."""
    store = SqlTppStore(engine)
    for number in range(ROUNDS):
        begun = replace(tpp(number), status=TppStatus.REGISTERING)
        store.add(begun)

        assert Counter(at_once(*[partial(store.activate, begun)] * THREADS)) == {True: 1, False: THREADS - 1}


def test_a_tpp_leaves_once(engine: Engine) -> None:
    """Taken out by several at once: gone, and none fails."""
    store = SqlTppStore(engine)
    for number in range(ROUNDS):
        leaving = tpp(number)
        store.add(leaving)

        assert at_once(*[partial(store.remove, leaving, at=NOW.timestamp())] * THREADS) == [None] * THREADS
        assert store.find(leaving.name) is None


def test_the_portal_and_a_command_acknowledge_the_same_delivery(engine: Engine) -> None:
    """The first of its subject, which no row stands for yet, and every later one."""
    deliveries = SqlDeliveries(engine, FixedClock(NOW))
    for number in range(ROUNDS):
        noted = at_once(*[partial(deliveries.acknowledge, f"crl:{number // 2}", f"{number:064x}")] * THREADS)

        assert noted == [None] * THREADS
        assert deliveries.acknowledged(f"crl:{number // 2}") == f"{number:064x}"
