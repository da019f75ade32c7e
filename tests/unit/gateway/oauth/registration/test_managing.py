"""Registrations read, changed and deleted by their clients (RFC 7592); what the operator has done stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.admin.client_bodies import ClientBody
from gateway.oauth.registration.document import ClientDocument
from gateway.register.model import Client, ClientProfile, ClientStatus
from tests.support.authorization import CLIENT, NUMBER, OTHER_NUMBER, REDIRECT_URI, qwac
from tests.support.registering import KEYS, manage, registered, written

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld


def test_a_registration_is_read_changed_and_deleted(world: AuthorizationWorld) -> None:
    """What is left out of a change is registered no more."""
    document = registered(world, client_name="Ledger", jwks=KEYS)
    assert manage(world, "GET", document).get_json() == document
    changed = written(document, client_name="Other")
    del changed["jwks"]
    answer = manage(world, "PUT", document, json=changed)
    assert (answer.status_code, answer.get_json()["client_name"]) == (200, "Other")
    assert "jwks" not in manage(world, "GET", document).get_json()
    deleted = manage(world, "DELETE", document)
    assert (deleted.status_code, deleted.get_data()) == (204, b"")
    assert manage(world, "GET", document).status_code == 401
    assert world.register.client(document["client_id"]) is None


def test_a_deleted_clients_tokens_end(world: AuthorizationWorld) -> None:
    document = registered(world, grant_types=["authorization_code", "refresh_token"])
    own = {"client_id": document["client_id"]}
    tokens = world.redeem(world.code(**own), **own).get_json()
    manage(world, "DELETE", document)
    assert world.refresh(tokens["refresh_token"], **own).status_code == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "wrong", ["no token", "another token", "another scheme", "another TPP", "no such client", "not by itself"]
)
def test_nobody_else_manages_a_registration(world: AuthorizationWorld, method: str, wrong: str) -> None:
    """All of them hear the same: not even that there is such a client."""
    document = registered(world)
    other = registered(world)
    token = document["registration_access_token"]
    header = {
        "no token": "",
        "another token": f"Bearer {other['registration_access_token']}",
        "another scheme": f"Basic {token}",
    }.get(wrong, f"Bearer {token}")
    certificate = qwac(OTHER_NUMBER) if wrong == "another TPP" else qwac()
    path = {"no such client": "/register/nobody", "not by itself": f"/register/{CLIENT}"}.get(
        wrong, f"/register/{document['client_id']}"
    )
    answer = world.edge(path, certificate, method=method, headers={"Authorization": header}, json=written(document))
    assert (answer.status_code, answer.get_json()["reason"]) == (401, "registration.token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert world.register.client(document["client_id"]) is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"client_id": CLIENT}, "client_id"),
        ({"client_id": ...}, "client_id"),
        ({"registration_access_token": "x"}, "registration_access_token"),
        ({"client_id_issued_at": 1}, "client_id_issued_at"),
    ],
)
def test_a_change_says_which_client_it_is_about_and_nothing_of_the_servers(
    world: AuthorizationWorld, change: dict[str, Any], field: str
) -> None:
    document = registered(world)
    body = {name: value for name, value in written(document, **change).items() if value != ...}
    answer = manage(world, "PUT", document, json=body)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (400, field)


def test_a_blocked_client_can_not_change_itself_back(world: AuthorizationWorld) -> None:
    document = registered(world)
    kept = world.register.client(document["client_id"])
    assert kept is not None
    world.register.save_client(replace(kept, status=ClientStatus.BLOCKED))
    for method in ("GET", "PUT", "DELETE"):
        assert manage(world, method, document, json=written(document)).get_json()["reason"] == "client.blocked"
    assert world.register.client(document["client_id"]) == replace(kept, status=ClientStatus.BLOCKED)


# --- what the operator has done stands ---


@pytest.mark.parametrize("changes", [{"profile": "berlin"}, {"profile": ..., "require_pushed_authorization_requests": ...}])
def test_an_update_lowers_no_profile(world: AuthorizationWorld, changes: dict[str, Any]) -> None:
    """Neither by name nor by leaving it out; a stricter one is taken."""
    document = registered(world)
    standing = world.register.client(document["client_id"])
    assert standing is not None
    world.register.save_client(replace(standing, profile=ClientProfile.FAPI2))
    asked = written(document, require_pushed_authorization_requests=True) | changes
    body = {name: value for name, value in asked.items() if value != ...}
    if body.get("profile") == "berlin":
        body["require_pushed_authorization_requests"] = False
    answer = manage(world, "PUT", document, json=body)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (400, "profile")
    assert world.register.client(document["client_id"]) == replace(standing, profile=ClientProfile.FAPI2)


STRICT = {"profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS} | {
    "require_signed_request_object": True,
    "dpop_bound_access_tokens": True,
    "grant_types": ["authorization_code", "urn:openid:params:grant-type:ciba"],
    "backchannel_token_delivery_mode": "poll",
    "backchannel_authentication_request_signing_alg": "ES256",
}
LOOSE = {
    "token_endpoint_auth_method": "tls_client_auth",
    "require_signed_request_object": False,
    "dpop_bound_access_tokens": False,
    "backchannel_authentication_request_signing_alg": None,
}


def set_by_operator(world: AuthorizationWorld, client_id: str, **changes: Any) -> None:
    """Change a client as the control API does."""
    body = ClientBody(authorisation_number=NUMBER, name="Acme", redirect_uris=(REDIRECT_URI,), **changes)
    world.register.change_client(client_id, lambda standing: body.client(client_id, standing=standing))


@pytest.mark.parametrize("field", LOOSE)
def test_what_the_operator_made_stricter_no_update_undoes(world: AuthorizationWorld, field: str) -> None:
    """Each by itself; what it set itself, or the operator has let go again, a client may take back."""
    document = registered(world, profile="fapi2", jwks=KEYS)
    asked = written(document, tls_client_certificate_bound_access_tokens=..., **STRICT | {field: LOOSE[field]})
    body = {name: value for name, value in asked.items() if value != ...}
    set_by_operator(world, document["client_id"], **STRICT)
    refused = manage(world, "PUT", document, json=body)
    assert (refused.status_code, [fault["field"] for fault in refused.get_json()["errors"]]) == (400, [field])
    assert "by the operator" in refused.get_json()["error_description"]

    set_by_operator(world, document["client_id"], **STRICT | LOOSE)
    assert manage(world, "PUT", document, json=body | STRICT).status_code == 200
    assert manage(world, "PUT", document, json=body).status_code == 200


@pytest.mark.parametrize("deed", ["block", "delete"])
def test_an_update_undoes_nothing_that_the_operator_did_meanwhile(
    world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """Between the reading of the client and the writing of it: it is neither let in again nor brought back to life."""
    document = registered(world)
    client_id = document["client_id"]
    standing = world.register.client(client_id)
    assert standing is not None
    tell = ClientDocument.client

    def meanwhile(self: ClientDocument, *args: Any, **own: Any) -> Client:
        if deed == "block":
            world.register.save_client(replace(standing, status=ClientStatus.BLOCKED))
        else:
            world.register.delete_client(client_id)
        return tell(self, *args, **own)

    monkeypatch.setattr(ClientDocument, "client", meanwhile)
    answer = manage(world, "PUT", document, json=written(document))
    assert (answer.status_code, answer.get_json()["reason"]) == (409, "registration.changed")
    left = world.register.client(client_id)
    assert left is None if deed == "delete" else left is not None and left.status is ClientStatus.BLOCKED
