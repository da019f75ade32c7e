"""No set of documents and deliveries in which a TPP could be a relay: whichever of the two comes later is refused."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import update

from gateway.configuration.changes import Change
from gateway.configuration.model import Kinds
from gateway.configuration.service import Configuration
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.store import SqlConfigurationStore
from gateway.policies.kind import DEPLOYMENTS
from gateway.relays.delivery import RelaysApart
from gateway.relays.kind import RELAYS
from gateway.tables.configuration import documents
from gateway.trust.kind import TRUST_STORES
from gateway.trust.model import TPP_STORE, TrustRefusal
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock
from tests.support.pki import DAY, Authority

if TYPE_CHECKING:
    from sqlalchemy import Engine

KINDS = Kinds((DEPLOYMENTS, RELAYS, TRUST_STORES))
OF_TPPS, OF_RELAYS = Authority("CA of TPPs"), Authority("CA of relays")
RELAY = Change(kind="relays", name="front", body={"certificate": {"form": "rfc9440", "trust_store": "relays"}})


def store_of(*pems: str, name: str = "relays") -> Change:
    return Change(kind="trust-stores", name=name, body={"profile": "client", "bundles": {"a": {"anchors": list(pems)}}})


def renewed(authority: Authority) -> str:
    """Return another certificate of the same CA: same name, same key."""
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(authority.name, authority.name, authority.key.public_key()).serial_number(7)
    builder = builder.not_valid_before(now - DAY).not_valid_after(now + DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode("ascii")


class World:
    """Documents and deliveries over one database."""

    def __init__(self, engine: Engine) -> None:
        clock = SystemClock()
        self.engine = engine
        self.configuration = Configuration(kinds=KINDS, store=SqlConfigurationStore(engine), clock=clock)
        self.trust = Trust(store=SqlTrustStore(engine, RelaysApart().require), clock=clock)

    def deliver(self, *pems: str) -> None:
        self.trust.replace(TPP_STORE, anchors=pems, intermediates=[])

    @property
    def delivered(self) -> int:
        return len(self.trust.authorities(TPP_STORE))


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


def test_a_relay_and_tpps_with_authorities_of_their_own_go_together(world: World) -> None:
    world.deliver(OF_TPPS.pem)
    world.configuration.apply([store_of(OF_RELAYS.pem), RELAY])
    world.deliver(OF_TPPS.pem, Authority("Another").pem)


@pytest.mark.parametrize("pem", [OF_TPPS.pem, renewed(OF_TPPS)], ids=["the same", "renewed"])
def test_a_relay_whose_store_shares_a_delivered_authority_is_refused(world: World, pem: str) -> None:
    """Both stores are named, and the CA; another certificate of the same CA vouches for the same TPPs."""
    world.deliver(OF_TPPS.pem)
    with pytest.raises(SetRefused) as refused:
        world.configuration.apply([store_of(OF_RELAYS.pem, pem), RELAY])

    (fault,) = refused.value.faults
    assert (fault.document, fault.field) == ("relays/front", "certificate.trust_store")
    assert all(name in fault.problem for name in ("trust-stores/relays", "trust-stores/tpp", "CN=CA of TPPs"))


def test_a_bundle_that_makes_an_overlap_later_is_refused(world: World) -> None:
    """The relay's own store, or a document that adds to what is delivered for TPPs."""
    world.deliver(OF_TPPS.pem)
    world.configuration.apply([store_of(OF_RELAYS.pem), RELAY])
    for change in (store_of(OF_RELAYS.pem, OF_TPPS.pem), store_of(OF_RELAYS.pem, name="tpp")):
        with pytest.raises(SetRefused, match="in common with trust-stores/tpp"):
            world.configuration.apply([change])
        assert world.configuration.snapshot().of(TRUST_STORES).keys() == {"relays"}


@pytest.mark.parametrize("pem", [OF_RELAYS.pem, renewed(OF_RELAYS)], ids=["the same", "renewed"])
def test_a_delivery_that_makes_an_overlap_is_refused(world: World, pem: str) -> None:
    """Whole, and what was trusted before stays."""
    world.deliver(OF_TPPS.pem)
    world.configuration.apply([store_of(OF_RELAYS.pem), RELAY])
    with pytest.raises(TrustRefusal, match=r"relays/front: trust-stores/relays has CN=CA of relays.* with trust-stores/tpp"):
        world.deliver(OF_TPPS.pem, pem)
    assert world.delivered == 1


def test_a_broken_document_keeps_nobody_from_taking_an_authority_back(world: World) -> None:
    """A CA that is no longer trusted has to go; that TPPs are no relays is seen to at run time too."""
    world.deliver(OF_TPPS.pem, Authority("Distrusted").pem)
    world.configuration.apply([store_of(OF_RELAYS.pem), RELAY])
    with world.engine.begin() as connection:
        connection.execute(update(documents).values(body="{"))
    world.deliver(OF_TPPS.pem)
    assert world.delivered == 1
