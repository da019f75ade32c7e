"""An access token for less than was granted (RFC 9396 §6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld

GRANTED: dict[str, Any] = {
    "type": "account_information",
    "access": {"accounts": [{"iban": "DE75512108001245126199"}], "balances": [{"iban": "DE75512108001245126199"}]},
    "recurringIndicator": True,
    "validUntil": "2027-03-01",
    "frequencyPerDay": 4,
}
NARROWED = GRANTED | {
    "access": {"accounts": GRANTED["access"]["accounts"]},
    "consentId": "made-1",
    "datatypes": ["accounts"],
}


def less(**changes: Any) -> str:
    return json.dumps([{"type": "account_information", "datatypes": ["accounts"]} | changes])


def test_a_code_gives_a_narrow_token_and_a_wide_grant(world: AuthorizationWorld) -> None:
    """The scope says it to the bank, the details to the client; the refresh token can give everything again."""
    code = world.code(authorization_details=json.dumps([GRANTED]))

    tokens = world.redeem(code, authorization_details=less()).get_json()
    wide = world.refresh(tokens["refresh_token"]).get_json()

    assert tokens["scope"] == "AIS:made-1 AIS.accounts"
    assert tokens["authorization_details"] == [NARROWED]
    assert world.introspect(tokens["access_token"])["authorization_details"] == [NARROWED]
    assert (wide["scope"], wide["authorization_details"]) == ("AIS:made-1", [GRANTED | {"consentId": "made-1"}])


def test_each_refreshing_may_narrow(world: AuthorizationWorld) -> None:
    """Also where the consent was made before, by its id."""
    tokens = world.tokens()

    named = less(identifier="consent-1", datatypes=["balances"])
    narrow = world.refresh(tokens["refresh_token"], authorization_details=named).get_json()

    assert narrow["scope"] == "AIS:consent-1 AIS.accounts AIS.balances"
    assert world.introspect(narrow["access_token"])["scope"] == narrow["scope"]


def test_the_same_as_was_granted_is_no_less(world: AuthorizationWorld) -> None:
    """A type by itself says nothing more."""
    tokens = world.tokens()

    again = world.refresh(tokens["refresh_token"], authorization_details='[{"type": "account_information"}]').get_json()

    assert again["scope"] == "AIS:consent-1"


@pytest.mark.parametrize(
    ("wanted", "rule"),
    [
        (less(datatypes=["transactions"]), "$[0].datatypes[0] is transactions, which was not granted"),
        (less(datatypes=["payments"]), "$[0].datatypes[0] is none of accounts, balances, transactions"),
        (less(type="payment_initiation"), "$[0] is something else than what was granted"),
        (less(identifier="consent-1"), "$[0] is something else than what was granted"),
        (json.dumps([GRANTED]), "$[0].access is not known here"),
        ("[]", "$ holds 0 entries"),
    ],
)
def test_what_was_not_granted_is_refused_and_the_code_stays_good(world: AuthorizationWorld, wanted: str, rule: str) -> None:
    """RFC 9396 §6.1: `invalid_authorization_details`."""
    code = world.code(authorization_details=json.dumps([GRANTED]))

    refused = world.redeem(code, authorization_details=wanted)

    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_authorization_details")
    assert rule in refused.get_json()["error_description"]
    assert world.redeem(code).status_code == 200


def test_a_payment_is_not_narrowed(world: AuthorizationWorld) -> None:
    """It has no kinds of data."""
    code = world.code(scope="PIS:payment-1")
    wanted = json.dumps([{"type": "payment_initiation", "datatypes": ["accounts"]}])

    assert "is nothing that this type has" in world.redeem(code, authorization_details=wanted).get_json()["error_description"]


def test_a_client_alone_is_given_no_details(world: AuthorizationWorld) -> None:
    """They need a PSU."""
    refused = world.token(grant_type="client_credentials", authorization_details=less()).get_json()

    assert refused["error"] == "invalid_authorization_details"
