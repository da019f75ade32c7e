"""Grants with a name, without a browser: with any request that serves as an authorization request (Grant Management §5.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.ciba.bank import AskStatus
from gateway.oauth.grant_management.model import QUERY_SCOPE
from tests.support.authorization import CONSENT, AuthorizationWorld
from tests.support.backchannel import begin, begun, poll, refusal_of

if TYPE_CHECKING:
    from gateway.oauth.scope import BerlinScope

GIRO, SAVINGS = {"iban": "DE02100100109307118603"}, {"iban": "DE02700100800030876808"}


def accounts(*references: dict[str, str]) -> dict[str, str | None]:
    terms = {"recurringIndicator": True, "validUntil": "2026-06-01", "frequencyPerDay": 4}
    detail = {"type": "account_information", "access": {"accounts": list(references)}} | terms
    return {"scope": None, "authorization_details": json.dumps([detail])}


def granted(world: AuthorizationWorld, **wish: str | None) -> dict[str, Any]:
    auth_req_id = begun(world, **wish)
    world.bank.decide_ask(AskStatus.APPROVED)
    tokens: dict[str, Any] = poll(world, auth_req_id).get_json()
    return tokens


def test_a_grant_is_named_without_a_browser(asking: AuthorizationWorld) -> None:
    """Also one of a consent that was there before; unasked, none is."""
    named = granted(asking, grant_management_action="create")

    assert asking.introspect(named["access_token"])["authorization_details"][0]["consentId"] == CONSENT
    assert named["grant_id"]
    assert "grant_id" not in granted(asking, scope="accounts")


def test_the_scopes_of_the_grants_api_come_without_a_browser_too(asking: AuthorizationWorld) -> None:
    """Beside what the PSU grants, as at /authorize."""
    tokens = granted(asking, scope=f"accounts {QUERY_SCOPE}", grant_management_action="create")
    assert tokens["scope"] == f"AIS:made-1 {QUERY_SCOPE}"


@pytest.mark.parametrize("action", ["replace", "merge"])
def test_a_grant_is_changed_without_a_browser(asking: AuthorizationWorld, action: str) -> None:
    """It keeps its name; what it gave before ends, and merged it holds both."""
    first = granted(asking, grant_management_action="create", **accounts(GIRO))
    second = granted(asking, grant_management_action=action, grant_id=first["grant_id"], **accounts(SAVINGS))

    held = {"replace": [SAVINGS], "merge": [GIRO, SAVINGS]}[action]
    assert second["grant_id"] == first["grant_id"]
    assert second["authorization_details"][0]["access"]["accounts"] == held
    assert asking.bank.ended == ["AIS:made-1"]
    assert not asking.introspect(first["access_token"])["active"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_management_action": "replace", "grant_id": None}, "invalid_request"),
        ({"grant_management_action": "replace", "grant_id": "another"}, "invalid_grant_id"),
        ({"scope": "accounts", "authorization_details": None}, "invalid_request"),
        ({"login_hint": "jonas.brandt"}, "invalid_grant_id"),
    ],
)
def test_a_grant_that_is_not_to_be_changed_so_bothers_nobody(
    asking: AuthorizationWorld, changes: dict[str, str | None], error: str
) -> None:
    """The PSU is not asked, and nothing is made: the grant is another PSU's, or none, or can't hold that."""
    first = granted(asking, grant_management_action="create", **accounts(GIRO))
    wish = {"grant_management_action": "merge", "grant_id": first["grant_id"]} | accounts(SAVINGS) | changes

    assert refusal_of(begin(asking, **wish))[0] == error
    assert (len(asking.bank.asks), len(asking.bank.made)) == (1, 1)


def test_of_two_merges_without_a_browser_none_is_lost(asking: AuthorizationWorld) -> None:
    """The second was asked for as the grant was before the first (Grant Management §5.2)."""
    grant = granted(asking, grant_management_action="create", **accounts(GIRO))["grant_id"]
    asked = []
    for _ in range(2):
        asked.append(begun(asking, grant_management_action="merge", grant_id=grant, **accounts(SAVINGS)))
        asking.bank.decide_ask(AskStatus.APPROVED)

    assert poll(asking, asked[0]).status_code == 200
    assert refusal_of(poll(asking, asked[1])) == ("invalid_grant", "grant.changed")


def test_a_poll_that_comes_too_late_leaves_the_grant_to_the_one_before_it(
    asking: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bank takes its time over the first, and the client polls again meanwhile: neither is a replay of the other."""
    first = granted(asking, grant_management_action="create", **accounts(GIRO))
    auth_req_id = begun(asking, grant_management_action="replace", grant_id=first["grant_id"], **accounts(SAVINGS))
    asking.bank.decide_ask(AskStatus.APPROVED)
    end, between = asking.bank.end, []

    def poll_meanwhile(scope: BerlinScope, *, tenant: str) -> None:
        monkeypatch.setattr(asking.bank, "end", end)
        between.append(poll(asking, auth_req_id).get_json())
        end(scope, tenant=tenant)

    monkeypatch.setattr(asking.bank, "end", poll_meanwhile)

    assert refusal_of(poll(asking, auth_req_id)) == ("invalid_grant", "ciba.redeemed")
    (given,) = between
    assert asking.introspect(given["access_token"])["active"]
    assert asking.refresh(given["refresh_token"]).status_code == 200
