"""A client names, asks about, replaces and revokes its grants, and nobody else's (OpenID Grant Management)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.bank import InteractionStatus
from gateway.oauth.grant_management.model import QUERY_SCOPE, REVOKE_SCOPE
from tests.support.authorization import (
    CLIENT,
    NUMBER,
    OTHER_CLIENT,
    OTHER_NUMBER,
    START,
    AuthorizationWorld,
    answer_of,
    client,
    qwac,
    refusal_in,
)

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from gateway.oauth.scope import BerlinScope

CREATE = {"scope": "accounts", "grant_management_action": "create"}


def ask(world: AuthorizationWorld, grant: str, *, method: str = "GET", holder: str = CLIENT, scope: str = "") -> TestResponse:
    """Call the grant's address, as the edge passes it on once it has judged the token."""
    needed = QUERY_SCOPE if method == "GET" else REVOKE_SCOPE
    headers = {"X-Sandbox-Client": holder, "X-Sandbox-Scope": scope or needed}
    return world.edge(f"/grants/{grant}", qwac(), method=method, headers=headers)


def replaced(world: AuthorizationWorld, grant: str, **changes: Any) -> str:
    return world.code(**(CREATE | {"grant_management_action": "replace", "grant_id": grant} | changes))


def test_a_new_grant_is_named_in_the_token_response(world: AuthorizationWorld) -> None:
    """Where the client asks for it, and only there (§5.2, §5.5)."""
    named, unnamed = world.tokens(**CREATE), world.tokens(scope="accounts")

    assert world.tokens(**CREATE)["grant_id"] != named["grant_id"]
    assert "grant_id" not in unnamed


def test_a_grant_tells_what_stands_at_the_bank(world: AuthorizationWorld) -> None:
    """With the status that the bank has for it now, and without any token (§6.4)."""
    grant = world.tokens(**CREATE)["grant_id"]
    world.bank.picked = {"access": {"accounts": [{"iban": "DE1"}]}}

    answer = ask(world, grant)

    expiry = START + timedelta(seconds=world.settings.refresh_token_seconds)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json() == {
        "scopes": [{"scope": "AIS:made-1"}],
        "claims": [],
        "authorization_details": [
            {"type": "account_information", "consentId": "made-1", "consentStatus": "valid"} | world.bank.picked
        ],
        "created_at": int(START.timestamp()),
        "last_updated_at": int(START.timestamp()),
        "expires_at": int(expiry.timestamp()),
    }


def test_a_grant_by_scope_can_be_managed_too(world: AuthorizationWorld) -> None:
    """The Berlin Group's way of making the consent first loses nothing."""
    tokens = world.tokens(grant_management_action="create")

    assert ask(world, tokens["grant_id"]).get_json()["scopes"] == [{"scope": "AIS:consent-1"}]


def test_a_code_that_nobody_redeemed_is_no_grant(world: AuthorizationWorld) -> None:
    """A grant begins when its tokens are claimed (§5.6.1)."""
    code = world.code(**CREATE)
    other = world.tokens(**CREATE)["grant_id"]

    assert ask(world, other).status_code == 200
    assert code
    assert ask(world, "5a044d55-14e9-43f9-b4c2-4bcea3cb7f05").status_code == 404


def test_a_revoked_grant_takes_tokens_and_consent_along(world: AuthorizationWorld) -> None:
    """204; from then on it is unknown, and a second time is as well (§6.5)."""
    tokens = world.tokens(**CREATE)

    answer = ask(world, tokens["grant_id"], method="DELETE")

    assert (answer.status_code, answer.data) == (204, b"")
    assert world.bank.ended == ["AIS:made-1"]
    assert not world.introspect(tokens["access_token"])["active"]
    assert world.refresh(tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert ask(world, tokens["grant_id"]).status_code == 404
    assert ask(world, tokens["grant_id"], method="DELETE").status_code == 404


def test_a_bank_that_is_down_keeps_no_token_alive(world: AuthorizationWorld) -> None:
    """503, and the tokens are gone; once the bank is back the rest can be done."""
    tokens = world.tokens(**CREATE)
    world.bank.is_down = True

    refused = ask(world, tokens["grant_id"], method="DELETE")

    assert (refused.status_code, refused.get_json()["error"]) == (503, "temporarily_unavailable")
    assert not world.introspect(tokens["access_token"])["active"]
    world.bank.is_down = False
    assert ask(world, tokens["grant_id"], method="DELETE").status_code == 204
    assert world.bank.ended == ["AIS:made-1"]


def test_another_client_s_grant_is_unknown(world: AuthorizationWorld) -> None:
    """To be asked about, revoked, or replaced; of another TPP, or of the same (§6.6, §10)."""
    grant = world.tokens(**CREATE)["grant_id"]
    world.register.save_client(client(client_id="second"))

    for holder in (OTHER_CLIENT, "second"):
        assert ask(world, grant, holder=holder).status_code == 404
        assert ask(world, grant, holder=holder, method="DELETE").status_code == 404
    refused = refusal_in(
        world.authorize(client_id="second", scope="accounts", grant_management_action="replace", grant_id=grant)
    )

    assert (refused["error"], world.bank.ended) == ("invalid_grant_id", [])
    assert OTHER_NUMBER != NUMBER


@pytest.mark.parametrize(("method", "scope"), [("GET", REVOKE_SCOPE), ("DELETE", QUERY_SCOPE), ("GET", "AIS:made-1")])
def test_each_method_takes_its_own_scope(world: AuthorizationWorld, method: str, scope: str) -> None:
    """Also behind an edge that asked for another, or for none (§6.1)."""
    grant = world.tokens(**CREATE)["grant_id"]

    refused = ask(world, grant, method=method, scope=scope)

    assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_token")
    assert refused.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert world.bank.ended == []


def test_a_replaced_grant_keeps_its_name_and_nothing_else(world: AuthorizationWorld) -> None:
    """Its earlier tokens and consent end, once the new code is redeemed and no sooner (§5.2)."""
    first = world.tokens(**CREATE)
    world.clock.advance(timedelta(minutes=1))

    code = replaced(world, first["grant_id"])
    before = (world.introspect(first["access_token"])["active"], list(world.bank.ended))
    second = world.redeem(code).get_json()

    assert before == (True, [])
    assert (second["grant_id"], second["scope"]) == (first["grant_id"], "AIS:made-2")
    assert world.bank.ended == ["AIS:made-1"]
    for token in (first["access_token"], first["refresh_token"]):
        assert not world.introspect(token)["active"]
    assert world.introspect(second["access_token"])["active"]
    told = ask(world, first["grant_id"]).get_json()
    assert (told["scopes"], told["last_updated_at"] - told["created_at"]) == ([{"scope": "AIS:made-2"}], 60)


def test_a_grant_is_replaced_by_its_own_psu_only(world: AuthorizationWorld) -> None:
    """What another one has approved is ended, and the grant stays as it was (§5.2)."""
    first = world.tokens(**CREATE)
    world.authorize(**(CREATE | {"grant_management_action": "replace", "grant_id": first["grant_id"]}))
    world.bank.settle(InteractionStatus.APPROVED, psu="jonas.brandt")

    refused = answer_of(world.resume())

    assert (refused["error"], world.bank.ended) == ("invalid_grant_id", ["AIS:made-2"])
    assert world.introspect(first["access_token"])["active"]


def test_a_grant_that_is_revoked_while_the_psu_thinks_is_not_replaced(world: AuthorizationWorld) -> None:
    """Neither before the code, nor with it."""
    first, second = world.tokens(**CREATE), world.tokens(**CREATE)
    code = replaced(world, second["grant_id"])
    world.authorize(**(CREATE | {"grant_management_action": "replace", "grant_id": first["grant_id"]}))
    world.bank.settle(InteractionStatus.APPROVED)
    for tokens in (first, second):
        assert ask(world, tokens["grant_id"], method="DELETE").status_code == 204

    assert answer_of(world.resume())["error"] == "invalid_grant_id"
    assert world.redeem(code).status_code == 400
    assert not ask(world, second["grant_id"]).get_json().get("scopes")


def test_a_revoked_grant_does_not_come_back_with_a_code_for_the_same_consent(world: AuthorizationWorld) -> None:
    """It is judged once more in the transaction that claims the code."""
    wish = {"scope": "AIS:consent-1", "grant_management_action": "replace"}
    grant = world.tokens(grant_management_action="create")["grant_id"]
    code = replaced(world, grant, **wish)
    ask(world, grant, method="DELETE")

    refused = world.redeem(code)

    assert refused.get_json()["reason"] == "grant.revoked"
    assert ask(world, grant).status_code == 404


def test_what_replaces_a_grant_while_it_is_revoked_ends_with_it(
    world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is redeemed after the grant's tokens were revoked and before the grant was: nothing of either is left."""
    first = world.tokens(**CREATE)
    world.clock.advance(timedelta(seconds=1))
    code, end, late = replaced(world, first["grant_id"]), world.bank.end, []

    def redeem_meanwhile(scope: BerlinScope, *, tenant: str) -> None:
        monkeypatch.setattr(world.bank, "end", end)
        late.append(world.redeem(code).get_json())
        end(scope, tenant=tenant)

    monkeypatch.setattr(world.bank, "end", redeem_meanwhile)

    assert ask(world, first["grant_id"], method="DELETE").status_code == 204
    assert not world.introspect(late[0]["access_token"])["active"]
    assert "AIS:made-2" in world.bank.ended


def test_a_code_that_gives_way_to_another_while_it_is_redeemed_revokes_nothing(
    world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser comes back once more: nobody has redeemed the code before, and the grant is not replaced yet."""
    first = world.tokens(**CREATE)
    code, end, later = replaced(world, first["grant_id"]), world.bank.end, []

    def come_back_meanwhile(scope: BerlinScope, *, tenant: str) -> None:
        monkeypatch.setattr(world.bank, "end", end)
        later.append(answer_of(world.resume())["code"])
        end(scope, tenant=tenant)

    monkeypatch.setattr(world.bank, "end", come_back_meanwhile)

    assert world.redeem(code).get_json()["reason"] == "grant.code_unknown"
    assert world.introspect(first["access_token"])["active"]
    assert world.redeem(later[0]).status_code == 200


def test_of_two_that_replace_a_grant_at_the_same_instant_one_consent_stays(
    world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find the first consent, and the second is redeemed before the first is kept, which replaces that one then."""
    first = world.tokens(**CREATE)
    late, soon = replaced(world, first["grant_id"]), replaced(world, first["grant_id"])
    end, between = world.bank.end, []

    def redeem_meanwhile(scope: BerlinScope, *, tenant: str) -> None:
        monkeypatch.setattr(world.bank, "end", end)
        between.append(world.redeem(soon).get_json())
        end(scope, tenant=tenant)

    monkeypatch.setattr(world.bank, "end", redeem_meanwhile)
    last = world.redeem(late).get_json()

    assert (between[0]["scope"], last["scope"]) == ("AIS:made-3", "AIS:made-2")
    assert {"AIS:made-1", "AIS:made-3"} == set(world.bank.ended)
    assert not world.introspect(between[0]["access_token"])["active"]
    assert world.introspect(last["access_token"])["active"]


def test_while_the_bank_is_down_nothing_is_replaced(world: AuthorizationWorld) -> None:
    """The code stays good: the old consent must not outlive its grant."""
    first = world.tokens(**CREATE)
    code = replaced(world, first["grant_id"])
    world.bank.is_down = True

    refused = world.redeem(code)
    world.bank.is_down = False

    assert (refused.status_code, refused.get_json()["error"]) == (503, "temporarily_unavailable")
    assert world.introspect(first["access_token"])["active"]
    assert world.redeem(code).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error", "named"),
    [
        ({"grant_management_action": "update", "grant_id": "g"}, "invalid_request", "grant_management_action: update"),
        ({"grant_management_action": "merge"}, "invalid_request", "grant_id: is missing: merge"),
        ({"grant_management_action": "replace"}, "invalid_request", "grant_id: is missing"),
        ({"grant_id": "g"}, "invalid_request", "grant_id: is not taken with create"),
        ({"grant_management_action": None, "grant_id": "g"}, "invalid_request", "grant_id: means nothing"),
        ({"grant_management_action": "replace", "grant_id": "g"}, "invalid_grant_id", "grant_id: names no grant"),
    ],
)
def test_a_faulty_wish_is_refused(world: AuthorizationWorld, changes: dict[str, Any], error: str, named: str) -> None:
    """The parameter and the rule are named (§5.4); nothing is made."""
    refused = refusal_in(world.authorize(**(CREATE | changes)))

    assert refused["error"] == error
    assert refused["error_description"].startswith(named)
    assert world.bank.made == []


def test_a_grant_ends_with_its_time(world: AuthorizationWorld) -> None:
    """It stands as long as a refresh token could."""
    grant = world.tokens(**CREATE)["grant_id"]
    world.clock.advance(timedelta(seconds=world.settings.refresh_token_seconds))

    assert ask(world, grant).status_code == 404


def test_a_client_s_grants_go_with_it(world: AuthorizationWorld) -> None:
    """Registered again under its old name, it finds none of them."""
    grant = world.tokens(**CREATE)["grant_id"]

    world.register.delete_client(CLIENT)
    world.register.save_client(client())

    assert ask(world, grant).status_code == 404


def test_it_is_the_edge_s_listener_only(world: AuthorizationWorld) -> None:
    """A browser's listener, where anybody may say anything in headers, leads to no grant."""
    grant = world.tokens(**CREATE)["grant_id"]

    answer = world.front(f"/grants/{grant}", headers={"X-Sandbox-Client": CLIENT, "X-Sandbox-Scope": QUERY_SCOPE})

    assert answer.status_code == 404


def test_the_types_that_a_client_has_registered_are_all_it_may_send(world: AuthorizationWorld) -> None:
    """RFC 9396 §10."""
    world.register.save_client(replace(client(), authorization_details_types=("payment_initiation",)))
    wanted = '[{"type": "account_information", "identifier": "consent-1"}]'

    refused = refusal_in(world.authorize(authorization_details=wanted))

    assert refused["error"] == "invalid_authorization_details"
    assert "which this client is not registered for" in refused["error_description"]
