"""The register and the acknowledgements in real databases, SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from psd2.clock import FixedClock
from sandbox.tpps.errors import RegistrationConflict
from sandbox.tpps.model import TppStatus
from sandbox.tpps.store import SqlTppStore
from sandbox.trust.store import SqlDeliveries
from tests.support.register import NOW, NUMBER, RegisterWorld, registration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from sandbox.tpps.model import Tpp
    from tests.support.databases import Databases


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    with databases.opened("sandbox") as engine:
        yield engine


def tpp(**changes: object) -> Tpp:
    return RegisterWorld().register.register_new(registration(**changes)).tpp


def test_a_tpp_is_found_by_name_and_number_as_it_was_added(engine: Engine) -> None:
    """Every field survives, the seed's absence included."""
    store, acme, seeded = SqlTppStore(engine), tpp(), tpp(name="seeded", authorisation_number="PSDFR-ACPR-2", seed=2**31 - 1)
    store.add(acme)
    store.add(seeded)

    assert store.find("acme") == store.find(NUMBER) == acme
    assert store.find("seeded") == seeded
    assert store.find("nobody") is None
    assert store.all() == [acme, seeded]
    assert store.count() == 2


@pytest.mark.parametrize("changes", [{"authorisation_number": "PSDDE-BAFIN-2"}, {"name": "other"}])
def test_of_two_that_register_at_once_one_wins(engine: Engine, changes: dict[str, object]) -> None:
    """The same name, or the same number: the database decides."""
    store = SqlTppStore(engine)
    store.add(tpp())

    with pytest.raises(RegistrationConflict):
        store.add(tpp(**changes))

    assert store.count() == 1


def test_a_change_leaves_the_access_token_alone(engine: Engine) -> None:
    """Blocking a TPP does not lock it out of its registration for good."""
    store, acme = SqlTppStore(engine), tpp()
    store.add(acme)
    store.set_access_token(acme, "ab" * 32)

    store.replace(replace(acme, status=TppStatus.BLOCKED))

    found = store.find("acme")
    assert found is not None
    assert found.status is TppStatus.BLOCKED
    assert store.access_token_sha256(acme) == "ab" * 32


def test_a_registration_is_finished_once(engine: Engine) -> None:
    """The second who finishes it learns that he is late; a blocked TPP is not activated by anybody's registration."""
    store, acme = SqlTppStore(engine), replace(tpp(), status=TppStatus.REGISTERING)
    store.add(acme)

    assert [store.activate(acme), store.activate(acme)] == [True, False]
    store.replace(replace(acme, status=TppStatus.BLOCKED))
    assert not store.activate(acme)

    found = store.find("acme")
    assert found is not None
    assert found.status is TppStatus.BLOCKED


def test_a_removed_tpp_is_gone(engine: Engine) -> None:
    """With its access token."""
    store, acme = SqlTppStore(engine), tpp()
    store.add(acme)
    store.set_access_token(acme, "ab" * 32)

    store.remove(acme)

    assert store.find("acme") is None
    assert store.access_token_sha256(acme) is None


def test_the_last_acknowledgement_counts(engine: Engine) -> None:
    """One for each subject."""
    deliveries = SqlDeliveries(engine, FixedClock(NOW))

    deliveries.acknowledge("trust-store", "aa")
    deliveries.acknowledge("crl:tpp-issuing", "bb")
    deliveries.acknowledge("crl:tpp-issuing", "cc")

    assert deliveries.acknowledged("trust-store") == "aa"
    assert deliveries.acknowledged("crl:tpp-issuing") == "cc"
    assert deliveries.acknowledged("other") is None
