"""The register and the acknowledgements in real databases, SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from psd2.clock import FixedClock
from sandbox.database import organisations
from sandbox.tpps.applications import RegisterLimits
from sandbox.tpps.errors import RegisterFull, RegistrationConflict
from sandbox.tpps.model import Amendment, ClientAmendment, FormerTpp, Profile, TppStatus
from sandbox.tpps.order_store import SqlOrderStore
from sandbox.tpps.orders import Order
from sandbox.tpps.store import SqlTppStore
from sandbox.trust.store import SqlDeliveries
from tests.support.register import NOW, NUMBER, ROOMY, RegisterWorld, registration

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
    store.add(acme, limits=ROOMY)
    store.add(seeded, limits=ROOMY)

    assert store.find("acme") == store.find(NUMBER) == acme
    assert store.find("seeded") == seeded
    assert store.find("nobody") is None
    assert store.all() == [acme, seeded]


@pytest.mark.parametrize("changes", [{"authorisation_number": "PSDDE-BAFIN-2"}, {"name": "other"}])
def test_of_two_that_register_at_once_one_wins(engine: Engine, changes: dict[str, object]) -> None:
    """The same name, or the same number: the database decides."""
    store = SqlTppStore(engine)
    store.add(tpp(), limits=ROOMY)

    with pytest.raises(RegistrationConflict):
        store.add(tpp(**changes), limits=ROOMY)

    assert len(store.all()) == 1


def test_a_change_leaves_the_access_token_alone(engine: Engine) -> None:
    """Blocking a TPP does not lock it out of its registration for good."""
    store, acme = SqlTppStore(engine), tpp()
    store.add(acme, limits=ROOMY)
    store.set_access_token(acme, "ab" * 32)

    store.set_status(acme, TppStatus.BLOCKED)
    store.amend(acme, Amendment(organisation="Acme SE", redirect_uris=("https://acme.test/cb",)))
    keys = {"jwks": {"keys": [{"kty": "EC", "kid": "é"}]}, "dpop_bound_access_tokens": True}
    store.amend_client(acme, ClientAmendment(profile=Profile.FAPI2_MESSAGE_SIGNING, client_metadata=keys))

    changed = replace(acme, status=TppStatus.BLOCKED, organisation="Acme SE", redirect_uris=("https://acme.test/cb",))
    changed = replace(changed, profile=Profile.FAPI2_MESSAGE_SIGNING, client_metadata=keys)
    assert store.find("acme") == changed, "each change leaves the others alone"
    assert store.access_token_sha256(acme) == "ab" * 32


def test_a_registration_is_finished_once(engine: Engine) -> None:
    """The second who finishes it learns that he is late; a blocked TPP is not activated by anybody's registration."""
    store, acme = SqlTppStore(engine), replace(tpp(), status=TppStatus.REGISTERING)
    store.add(acme, limits=ROOMY)

    assert [store.activate(acme), store.activate(acme)] == [True, False]
    store.set_status(acme, TppStatus.BLOCKED)
    assert not store.activate(acme)

    found = store.find("acme")
    assert found is not None
    assert found.status is TppStatus.BLOCKED


def test_a_removed_tpp_is_gone(engine: Engine) -> None:
    """With its access token."""
    store, acme = SqlTppStore(engine), tpp()
    store.add(acme, limits=ROOMY)
    store.set_access_token(acme, "ab" * 32)

    store.remove(acme, at=1.0)

    assert store.find("acme") is None
    assert store.access_token_sha256(acme) is None


def test_the_number_of_a_removed_tpp_is_kept_until_it_comes_back(engine: Engine) -> None:
    """With what proves whose it was."""
    store, acme = SqlTppStore(engine), tpp()
    store.add(acme, limits=ROOMY)
    store.set_access_token(acme, "ab" * 32)
    store.remove(acme, at=1.0)

    kept = FormerTpp(authorisation_number=NUMBER, organisation_id=None, access_token_sha256="ab" * 32)
    assert store.former(NUMBER) == kept
    with pytest.raises(RegistrationConflict):
        store.add(acme, limits=ROOMY)
    store.add(acme, limits=None)
    assert store.former(NUMBER) is None


def test_a_tpp_is_claimed_once(engine: Engine) -> None:
    """Of two organisations with the same token the first has it."""
    store, acme = SqlTppStore(engine), tpp()
    store.add(acme, limits=ROOMY)
    organise(engine, "first", "second")

    assert [store.claim(acme, "first", limits=ROOMY), store.claim(acme, "second", limits=ROOMY)] == [True, False]

    assert [found.name for found in store.of_organisation("first")] == ["acme"]


def test_what_an_organisation_has_left_counts_as_its_own(engine: Engine) -> None:
    """For its limit and for everybody's; another organisation has room."""
    store, one_each = SqlTppStore(engine), RegisterLimits(all=2, per_organisation=1)
    organise(engine, "first", "second")
    firsts = replace(tpp(), organisation_id="first")
    store.add(firsts, limits=one_each)
    store.remove(firsts, at=1.0)
    more = tpp(name="more", authorisation_number="PSDDE-BAFIN-2")

    with pytest.raises(RegisterFull, match="PER_ORGANISATION"):
        store.add(replace(more, organisation_id="first"), limits=one_each)
    store.add(replace(more, organisation_id="second"), limits=one_each)
    with pytest.raises(RegisterFull, match="SANDBOX_MAX_TPPS"):
        store.add(tpp(name="late", authorisation_number="PSDDE-BAFIN-3"), limits=one_each)


def organise(engine: Engine, *names: str) -> None:
    with engine.begin() as connection:
        connection.execute(insert(organisations), [{"id": name, "name": name, "created_at": 1.0} for name in names])


def test_the_last_acknowledgement_counts(engine: Engine) -> None:
    """One for each subject."""
    deliveries = SqlDeliveries(engine, FixedClock(NOW))

    deliveries.acknowledge("trust-store", "aa")
    deliveries.acknowledge("crl:tpp-issuing", "bb")
    deliveries.acknowledge("crl:tpp-issuing", "cc")

    assert deliveries.acknowledged("trust-store") == "aa"
    assert deliveries.acknowledged("crl:tpp-issuing") == "cc"
    assert deliveries.acknowledged("other") is None


def test_a_form_is_answered_once_whoever_sends_it(engine: Engine) -> None:
    """One that is being answered is known too; what a day has passed over is forgotten, and another TPP's forms are its own."""
    store, order = SqlOrderStore(engine), Order(NUMBER, "form-1")

    assert [store.begin(order, at=NOW), store.begin(order, at=NOW)] == [True, False]
    assert store.serial(order) is None
    store.finish(order, "0a")
    assert store.serial(order) == "0a"
    assert store.begin(Order("PSDDE-BAFIN-2", "form-1"), at=NOW)
    store.forget(Order("PSDDE-BAFIN-2", "form-1"))
    assert store.begin(Order("PSDDE-BAFIN-2", "form-1"), at=NOW + timedelta(days=1, seconds=1))
    assert store.serial(order) is None
