"""Dynamic client registration (RFC 7591) and its management (RFC 7592): by the TPP of the QWAC alone, and truly told."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.admin.client_bodies import ClientBody
from gateway.oauth.registration.document import ClientDocument
from gateway.oauth.registration.service import MOST_CLIENTS
from gateway.register.model import AuthMethod, Client, ClientProfile, ClientStatus, TppStatus
from psd2.roles import PspRole
from tests.support.authorization import CLIENT, NUMBER, OTHER_NUMBER, REDIRECT_URI, client, qwac, tpp
from tests.support.jose import es256

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.authorization import AuthorizationWorld
    from tests.support.pki import Issued

EDGE = "https://localhost:8443"
KEYS = {"keys": [es256().jwk]}


def register(world: AuthorizationWorld, *, certificate: Issued | None = None, **metadata: Any) -> TestResponse:
    body = {"redirect_uris": [REDIRECT_URI]} | metadata
    return world.edge("/register", certificate or qwac(), json={name: value for name, value in body.items() if value != ...})


def registered(world: AuthorizationWorld, **metadata: Any) -> dict[str, Any]:
    answer = register(world, **metadata)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.get_json()
    return document


def manage(
    world: AuthorizationWorld, method: str, document: dict[str, Any], *, certificate: Issued | None = None, **options: Any
) -> TestResponse:
    """Call the address that came with the client, with the token that came with it."""
    path = document["registration_client_uri"].removeprefix(EDGE)
    headers = {"Authorization": f"Bearer {document['registration_access_token']}"} | options.pop("headers", {})
    return world.edge(path, certificate or qwac(), method=method, headers=headers, **options)


def written(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a document as its TPP sends it back."""
    return {name: value for name, value in document.items() if not name.startswith("registration_")} | changes


# --- registering ---


def test_a_tpp_registers_a_client_and_uses_it(world: AuthorizationWorld) -> None:
    """Its QWAC says which TPP it is; all that was registered is told, and nothing is cached."""
    answer = register(world)
    document = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert document["registration_client_uri"] == f"{EDGE}/register/{document['client_id']}"
    assert (document["client_name"], document["scope"]) == ("Acme Pay", "AIS PIS PIIS")
    assert document["token_endpoint_auth_method"] == "tls_client_auth"
    assert document["grant_types"] == ["authorization_code"]
    kept = world.register.client(document["client_id"])
    assert kept is not None
    assert (kept.authorisation_number, kept.profile) == (NUMBER, ClientProfile.BERLIN)
    assert document["registration_access_token"] not in repr(kept)
    assert world.redeem(world.code(client_id=kept.client_id), client_id=kept.client_id).status_code == 200


def test_metadata_is_kept_and_told(world: AuthorizationWorld) -> None:
    """Of a client of the FAPI profile, with keys."""
    document = registered(
        world,
        client_name="Ledger",
        token_endpoint_auth_method="private_key_jwt",
        jwks=KEYS,
        grant_types=["authorization_code", "refresh_token"],
        require_pushed_authorization_requests=True,
        authorization_details_types=["account_information"],
        contacts=["somebody@tpp.example"],
    )
    assert document["jwks"] == KEYS
    assert document["profile"] == "fapi2"
    assert document["authorization_details_types"] == ["account_information"]
    assert "contacts" not in document
    kept = world.register.client(document["client_id"])
    assert kept is not None
    assert (kept.name, kept.token_endpoint_auth_method) == ("Ledger", AuthMethod.PRIVATE_KEY_JWT)


def test_the_full_name_of_an_algorithm_is_told_back_as_the_one_that_is_used(world: AuthorizationWorld) -> None:
    """RFC 9864, RFC 7591 §3.2.1: what is verified goes by both names, what this server signs says `EdDSA`."""
    members = ("request_object_signing_alg", "authorization_signed_response_alg")
    document = registered(world, **dict.fromkeys(members, "Ed25519"))
    assert {document[member] for member in members} == {"EdDSA"}


@pytest.mark.parametrize(
    ("metadata", "error", "field"),
    [
        ({"redirect_uris": ["http://tpp.example/callback"]}, "invalid_redirect_uri", "redirect_uris[0]"),
        ({"redirect_uris": ...}, "invalid_redirect_uri", "redirect_uris"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "invalid_client_metadata", "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata", "jwks"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata", "grant_types.0"),
        ({"response_types": ["token"]}, "invalid_client_metadata", "response_types.0"),
        ({"scope": "AIS openid"}, "invalid_client_metadata", "scope"),
        ({"client_secret": "x"}, "invalid_client_metadata", "client_secret"),
        ({"client_name": 7}, "invalid_client_metadata", "client_name"),
        ({"tls_client_certificate_bound_access_tokens": False}, "invalid_client_metadata", "tls_client_certificate_bound"),
        (
            {"profile": "berlin", "require_pushed_authorization_requests": True},
            "invalid_client_metadata",
            "require_pushed_authorization_requests",
        ),
    ],
)
def test_a_fault_is_named_with_its_field_and_nothing_is_kept(
    world: AuthorizationWorld, metadata: dict[str, Any], error: str, field: str
) -> None:
    answer = register(world, **metadata)
    body = answer.get_json()
    assert (answer.status_code, body["error"]) == (400, error)
    assert body["error_description"].startswith(field)
    assert body["errors"][0]["field"].startswith(field)
    assert [each.client_id for each in world.register.clients_of(NUMBER)] == [CLIENT]


def test_all_faults_are_told_at_once(world: AuthorizationWorld) -> None:
    answer = register(world, redirect_uris=["http://tpp.example/x"], backchannel_token_delivery_mode="poll")
    fields = {fault["field"] for fault in answer.get_json()["errors"]}
    assert fields == {"redirect_uris[0]", "backchannel_token_delivery_mode"}
    assert "and 1 more" in answer.get_json()["error_description"]


def test_faults_of_every_kind_are_told_at_once(world: AuthorizationWorld) -> None:
    """Of form, of roles, of binding, of what fits together; but none that only follows from a member that can't be read."""
    answer = register(
        world,
        client_name=7,
        client_secret="x",
        scope="openid",
        token_endpoint_auth_method="client_secret_basic",
        token_endpoint_auth_signing_alg="PS256",  # would be a fault beside the method that holds where none is named
        tls_client_certificate_bound_access_tokens=False,
        redirect_uris=["http://tpp.example/x"],
        backchannel_token_delivery_mode="poll",
    )
    assert {fault["field"] for fault in answer.get_json()["errors"]} == {
        "client_name",
        "client_secret",
        "scope",
        "token_endpoint_auth_method",
        "tls_client_certificate_bound_access_tokens",
        "redirect_uris[0]",
        "backchannel_token_delivery_mode",
    }


def test_the_tpps_roles_limit_what_its_clients_may_ask_for(world: AuthorizationWorld) -> None:
    """Not what the client says of itself."""
    world.register.save_tpp(tpp(roles=frozenset({PspRole.AI})))
    document = registered(world)
    assert (document["scope"], document["authorization_details_types"]) == ("AIS", ["account_information"])
    assert "the TPP's roles allow, which are: AIS" in register(world, scope="PIS").get_json()["errors"][0]["problem"]
    refused = register(world, authorization_details_types=["payment_initiation"]).get_json()
    assert refused["errors"][0]["field"] == "authorization_details_types"


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"[]", "application/json", "invalid_request"),
        (b"{", "application/json", "invalid_request"),
        (b'{"client_name":"a","client_name":"b"}', "application/json", "invalid_request"),
        (b"client_name=a", "application/x-www-form-urlencoded", "invalid_request"),
    ],
)
def test_what_is_no_json_object_is_refused(world: AuthorizationWorld, body: bytes, content_type: str, error: str) -> None:
    answer = world.edge("/register", qwac(), data=body, content_type=content_type)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_only_a_registered_and_active_tpp_registers(world: AuthorizationWorld) -> None:
    """By its QWAC, which nothing else stands in for."""
    assert world.edge("/register", None, json={}).get_json()["reason"] == "mtls.missing"
    unknown = register(world, certificate=qwac("PSDES-BDE-300003"))
    assert (unknown.status_code, unknown.get_json()["reason"]) == (401, "tpp.unknown")
    world.register.save_tpp(tpp(status=TppStatus.BLOCKED))
    assert register(world).get_json()["reason"] == "tpp.blocked"


def test_a_tpp_has_a_bounded_number_of_clients(world: AuthorizationWorld) -> None:
    for number in range(MOST_CLIENTS - 1):
        world.register.save_client(client(client_id=f"client-of-{number}"))
    answer = register(world)
    assert (answer.status_code, answer.get_json()["reason"]) == (400, "registration.too_many")


# --- management ---


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


# --- what a PSU is shown, and what nobody can write down ---


@pytest.mark.parametrize("name", ["a\x00b", "Acme\nApproved", "Acme \u202eknaB", "Acme\u3164", "Acme\U000e0041"])
def test_a_name_is_what_the_psu_sees(world: AuthorizationWorld, name: str) -> None:
    """It stands on the bank's page, beside what is consented to (RFC 7591 §5)."""
    answer = register(world, client_name=name)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (400, "client_name")


@pytest.mark.parametrize(
    "member",
    [
        b'"jwks": ' + json.dumps({"keys": [es256().jwk | {"more": 2**70}]}).encode(),
        rb'"client_name": "\ud800"',
        rb'"x": ["\ud800"]',
        rb'"\ud800": 1',
        b'"x": ' + 400 * b"[" + 400 * b"]",
    ],
    ids=["number", "text", "unknown", "name", "deep"],
)
def test_what_can_not_be_written_again_is_refused(world: AuthorizationWorld, member: bytes) -> None:
    """Half a character, a number beyond 64 bits, lists in lists, also where the member means nothing here."""
    body = b'{"redirect_uris": ["' + REDIRECT_URI.encode() + b'"], ' + member + b"}"
    assert world.edge("/register", qwac(), data=body, content_type="application/json").status_code == 400


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
}
LOOSE = {
    "token_endpoint_auth_method": "tls_client_auth",
    "require_signed_request_object": False,
    "dpop_bound_access_tokens": False,
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


def test_a_certificate_of_an_unknown_kind_of_key_is_refused(world: AuthorizationWorld) -> None:
    """Beside a key, as `x5c`: readable as a certificate, of a key that nobody here can read."""
    public_key_ec, unknown = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d0209")
    der = qwac().certificate.public_bytes(Encoding.DER)
    assert public_key_ec in der
    strange = base64.b64encode(der.replace(public_key_ec, unknown, 1)).decode()
    answer = register(world, jwks={"keys": [es256().jwk | {"x5c": [strange]}]})
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (400, "jwks.keys.0.x5c")


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        (
            {"redirect_uris": [f"{REDIRECT_URI}/{number}" for number in range(51)]},
            "redirect_uris: has more than the 50 entries",
        ),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method: must be 'tls_client_auth', "),
        ({"client_name": "x" * 201}, "client_name: must have at most 200 characters"),
        ({"client_name": "a\u202eb"}, "client_name: holds a control character"),
        ({"grant_types": "authorization_code"}, "grant_types: must be a valid "),
    ],
)
def test_what_is_wrong_is_said_in_words_of_this_server(world: AuthorizationWorld, metadata: dict[str, Any], said: str) -> None:
    """Each names the member, and what would be right."""
    assert register(world, **metadata).get_json()["error_description"].startswith(said)
