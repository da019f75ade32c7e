"""What the gateway does not take of a client comes back by its members."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests

from sandbox.answers import PeerRefused
from sandbox.gateway_client import GatewayOverTheWire
from sandbox.tpps.errors import ClientRefused, Fault
from sandbox.tpps.model import TppStatus
from tests.support.register import RegisterWorld, registration

if TYPE_CHECKING:
    from chassis.peers import PeerSession


class Session:
    """Refuses everything with one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def request(self, *_: object, **__: object) -> requests.Response:
        response = requests.Response()
        response.status_code, response._content = 422, json.dumps(self._document).encode()
        return response


def gateway(**document: Any) -> GatewayOverTheWire:
    return GatewayOverTheWire(cast("PeerSession", Session(document)))


def test_faults_come_by_their_members() -> None:
    """As the control API names them."""
    tpp = RegisterWorld().register.register_new(registration()).tpp
    errors = [{"field": "jwks", "problem": "is missing"}, {"field": "grant_types.1", "problem": "is none"}]

    with pytest.raises(ClientRefused) as refused:
        gateway(detail="x", errors=errors).put_client(tpp)

    assert refused.value.faults == (Fault("jwks", "is missing"), Fault("grant_types.1", "is none"))


@pytest.mark.parametrize("errors", [None, [], "x", [1], [{"problem": "x"}]])
def test_a_refusal_that_names_none_stays_what_it_is(errors: object) -> None:
    """Whatever stands in it."""
    tpp = RegisterWorld().register.register_new(registration()).tpp

    with pytest.raises(PeerRefused, match="no"):
        gateway(detail="no", errors=errors).put_client(tpp)


def test_a_registration_with_such_a_client_leaves_nothing_behind() -> None:
    """By the operator's command too."""
    world = RegisterWorld()
    world.gateway.client_faults = (Fault("jwks", "is missing"),)
    with pytest.raises(ClientRefused):
        world.register.register_new(registration())
    assert world.store.tpps == {}
    world.gateway.client_faults = ()

    assert world.register.register_new(registration()).tpp.status is TppStatus.ACTIVE
