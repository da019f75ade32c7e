"""The scopes of the grants API: over all its grants to a client alone, over a PSU's own to whoever that PSU has authorised."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.bank import InteractionStatus
from gateway.oauth.grant_management.model import QUERY_SCOPE, REVOKE_SCOPE
from tests.support.authorization import CLIENT, CONSENT, AuthorizationWorld, answer_of, qwac, refusal_in

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

API = f"{QUERY_SCOPE} {REVOKE_SCOPE}"
CREATE = {"scope": f"accounts {API}", "grant_management_action": "create"}
DETAILS = json.dumps([{"type": "account_information", "identifier": CONSENT}])


def ask(world: AuthorizationWorld, grant: str, *, psu: str | None, method: str = "GET") -> TestResponse:
    """Call the grant's address, as the edge passes it on with what the token says: whose it is, and of which PSU."""
    headers = {"X-Sandbox-Client": CLIENT, "X-Sandbox-Scope": API} | ({} if psu is None else {"X-Sandbox-Subject": psu})
    return world.edge(f"/grants/{grant}", qwac(), method=method, headers=headers)


def test_a_client_alone_is_given_them(world: AuthorizationWorld) -> None:
    """By client credentials, one or both; a scope that needs a PSU is not."""
    both = world.token(grant_type="client_credentials", scope=f"{REVOKE_SCOPE} {QUERY_SCOPE}").get_json()
    refused = world.token(grant_type="client_credentials", scope=f"{QUERY_SCOPE} AIS:consent-1").get_json()

    assert both["scope"] == f"{REVOKE_SCOPE} {QUERY_SCOPE}"
    assert world.introspect(both["access_token"])["scope"] == both["scope"]
    assert refused["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("asked", "resource"),
    [
        ({"scope": f"{API} accounts"}, "AIS:made-1"),
        ({"scope": f"{REVOKE_SCOPE} AIS:{CONSENT} {QUERY_SCOPE}"}, f"AIS:{CONSENT}"),
        ({"scope": API, "authorization_details": DETAILS}, f"AIS:{CONSENT}"),
    ],
    ids=["chosen on the page", "made before", "in full"],
)
def test_a_psu_gives_them_beside_what_it_grants(world: AuthorizationWorld, asked: dict[str, str], resource: str) -> None:
    """In whatever order they came; they are no part of the grant itself (§6.1, §6.4)."""
    tokens = world.tokens(**asked, grant_management_action="create")

    assert tokens["scope"] == f"{resource} {API}"
    assert world.introspect(tokens["access_token"])["scope"] == tokens["scope"]
    assert ask(world, tokens["grant_id"], psu="anna.weber").get_json()["scopes"] == [{"scope": resource}]


def test_they_reach_no_other_psu_s_grants(world: AuthorizationWorld) -> None:
    """Which are as unknown as any other's; the client's own token reaches all of its grants."""
    annas = world.tokens(**CREATE)["grant_id"]
    world.authorize(**CREATE)
    world.bank.settle(InteractionStatus.APPROVED, psu="jonas.brandt")
    jonas = world.redeem(answer_of(world.resume())["code"]).get_json()["grant_id"]

    assert [ask(world, grant, psu="anna.weber").status_code for grant in (annas, jonas)] == [200, 404]
    assert ask(world, jonas, psu="anna.weber", method="DELETE").status_code == 404
    assert world.bank.ended == []
    assert [ask(world, grant, psu=None).status_code for grant in (annas, jonas)] == [200, 200]


def test_a_grant_is_replaced_together_with_them(world: AuthorizationWorld) -> None:
    """They are given anew, and make no other consent of the same one."""
    first = world.tokens(**CREATE)
    again = world.tokens(scope=f"AIS:made-1 {API}", grant_management_action="replace", grant_id=first["grant_id"])
    before = list(world.bank.ended)
    other = world.tokens(**(CREATE | {"grant_management_action": "replace", "grant_id": first["grant_id"]}))

    assert (again["scope"], other["scope"]) == (f"AIS:made-1 {API}", f"AIS:made-2 {API}")
    assert (before, world.bank.ended) == ([], ["AIS:made-1"])


def test_refreshing_keeps_them_or_leaves_them_out(world: AuthorizationWorld) -> None:
    """RFC 6749 §6: as the client asks; what the grant is about stays in."""
    refresh = world.tokens(**CREATE)["refresh_token"]

    asked = (None, "AIS:made-1", CREATE["scope"])
    scopes = [world.refresh(refresh, scope=each).get_json()["scope"] for each in asked]
    without = world.refresh(refresh, scope=QUERY_SCOPE).get_json()

    assert scopes == [f"AIS:made-1 {API}", "AIS:made-1", f"AIS:made-1 {API}"]
    assert (without["error"], without["error_description"][:24]) == ("invalid_scope", "scope: leaves out AIS:ma")


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"grant_management_action": None}, "invalid_scope", "grant_management_action, which asks for one, is missing"),
        ({"scope": API}, "invalid_request", "scope: holds nothing to be granted beside grant_management_query"),
        ({"scope": f"accounts {API} {QUERY_SCOPE}"}, "invalid_scope", "one of them twice"),
        ({"scope": f"accounts {API}", "authorization_details": DETAILS}, "invalid_scope", "says nothing beside"),
        ({"scope": f"accounts grant_management_all {API}"}, "invalid_scope", "is not exactly one of"),
    ],
)
def test_a_request_that_is_wrong_in_one_way(world: AuthorizationWorld, changes: dict[str, Any], error: str, says: str) -> None:
    refused = refusal_in(world.authorize(**(CREATE | changes)))

    assert (refused["error"], says in refused["error_description"]) == (error, True), refused
    assert world.bank.made == []
