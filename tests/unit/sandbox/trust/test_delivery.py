"""The gateway's trust is kept in step: nothing is delivered twice, nothing is forgotten."""

from __future__ import annotations

import pytest

from chassis.peers import PeerUnavailable
from sandbox.trust.service import TrustDelivery
from tests.support.register import FakeAuthority, FakeGateway, InMemoryAcknowledgements


class World:
    """A delivery with fakes round it."""

    def __init__(self) -> None:
        self.gateway = FakeGateway([])
        self.authority = FakeAuthority([])
        self.delivery = TrustDelivery(source=self.authority, gateway=self.gateway, acknowledgements=InMemoryAcknowledgements())


def test_the_store_goes_before_the_list() -> None:
    """A list is taken only from an issuer that is trusted already."""
    world = World()

    assert world.delivery.deliver_changes()

    assert world.gateway.calls == ["trust 1+0", "crl"]


def test_what_is_acknowledged_is_not_delivered_again() -> None:
    """The look every second costs the gateway nothing."""
    world = World()
    world.delivery.deliver_changes()
    world.gateway.calls.clear()

    assert not world.delivery.deliver_changes()

    assert world.gateway.calls == []


def test_a_new_list_is_delivered() -> None:
    """After a revocation, or when the list in force has been signed anew, the list alone goes out."""
    world = World()
    world.delivery.deliver_changes()
    world.gateway.calls.clear()
    world.authority.crl_number += 1

    assert world.delivery.deliver_changes()

    assert world.gateway.calls == ["crl"]
    assert world.gateway.crls[-1] == b"crl 2"


def test_a_new_anchor_is_delivered() -> None:
    """When the issuing authority was made anew the gateway learns of it."""
    world = World()
    world.delivery.deliver_changes()
    world.gateway.calls.clear()
    world.authority.anchors = ["another"]

    world.delivery.deliver_changes()

    assert world.gateway.calls == ["trust 1+0"]


def test_what_could_not_be_delivered_is_delivered_later() -> None:
    """A revocation made while the gateway is down reaches it as soon as it answers."""
    world = World()
    world.delivery.deliver_changes()
    world.authority.crl_number += 1
    world.gateway.is_down = True
    with pytest.raises(PeerUnavailable):
        world.delivery.deliver_changes()

    world.gateway.is_down = False
    world.delivery.deliver_changes()

    assert world.gateway.crls == [b"crl 1", b"crl 2"]


def test_everything_is_delivered_at_start() -> None:
    """A gateway with a new database has forgotten what it acknowledged."""
    world = World()
    world.delivery.deliver_changes()
    world.gateway.calls.clear()

    world.delivery.deliver_all()

    assert world.gateway.calls == ["trust 1+0", "crl"]
