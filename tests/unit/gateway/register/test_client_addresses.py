"""Addresses inside: whoever registers one hears so, and what the operator names is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.register.model import AuthMethod, ClientProfile, ClientRefused, ClientStatus, DeliveryMode, GrantType
from gateway.register.service import Register
from gateway.register.store import SqlRegisterStore
from psd2.clock import FixedClock
from tests.support.authorization import START, client, tpp

if TYPE_CHECKING:
    from sqlalchemy import Engine

SIGNING = {"token_endpoint_auth_method": AuthMethod.PRIVATE_KEY_JWT, "profile": ClientProfile.FAPI2}
PINGED = {
    "grant_types": (GrantType.AUTHORIZATION_CODE, GrantType.CIBA),
    "backchannel_token_delivery_mode": DeliveryMode.PING,
}
NAMED = "localhost:8451"


def register_of(engine: Engine, *hosts: str) -> Register:
    register = Register(store=SqlRegisterStore(engine), clock=FixedClock(START), internal_hosts=frozenset(hosts))
    register.save_tpp(tpp())
    return register


@pytest.mark.parametrize(
    ("members", "field"),
    [(SIGNING, "jwks_uri"), (PINGED, "backchannel_client_notification_endpoint")],
    ids=["keys", "pings"],
)
def test_an_address_inside_is_taken_where_the_operator_names_it(engine: Engine, members: dict[str, Any], field: str) -> None:
    """By host and port; the refusal says which field, which address and which setting."""
    wanted = client(**members, **{field: f"https://{NAMED}/here"})
    with pytest.raises(ClientRefused) as caught:
        register_of(engine, "localhost:8452").save_client(wanted)

    (fault,) = caught.value.faults
    assert fault.field == field
    assert "https://localhost:8451/here is inside and would never be called" in fault.reason
    assert "GATEWAY_INTERNAL_CLIENT_HOSTS=localhost:8451" in fault.reason
    assert register_of(engine, NAMED).save_client(wanted)


def test_the_usual_port_is_named_too(engine: Engine) -> None:
    """As the setting has it."""
    with pytest.raises(ClientRefused, match=r"GATEWAY_INTERNAL_CLIENT_HOSTS=10\.0\.0\.8:443"):
        register_of(engine).save_client(client(**SIGNING, jwks_uri="https://10.0.0.8/jwks"))


def test_an_address_that_stands_holds_up_no_other_change(engine: Engine) -> None:
    """The operator can block a client whose host he names no longer; another address inside is refused all the same."""
    standing = client(**SIGNING, jwks_uri=f"https://{NAMED}/jwks")
    register_of(engine, NAMED).save_client(standing)
    strict = register_of(engine)

    assert not strict.save_client(replace(standing, status=ClientStatus.BLOCKED))
    with pytest.raises(ClientRefused, match="jwks_uri"):
        strict.save_client(replace(standing, jwks_uri=f"https://{NAMED}/other"))


def test_an_address_that_is_none_is_called_wrong_once(engine: Engine) -> None:
    """By the rule for its form."""
    with pytest.raises(ClientRefused) as caught:
        register_of(engine).save_client(client(**SIGNING, jwks_uri="ftp://localhost/jwks"))
    assert len(caught.value.faults) == 1
