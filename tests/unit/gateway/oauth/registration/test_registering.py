"""Dynamic client registration (RFC 7591): by the TPP of the QWAC alone, and truly told."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.oauth.registration.service import MOST_CLIENTS
from gateway.register.model import AuthMethod, ClientProfile, TppStatus
from psd2.roles import PspRole
from tests.support.authorization import CLIENT, NUMBER, REDIRECT_URI, client, qwac, tpp
from tests.support.jose import es256
from tests.support.registering import EDGE, KEYS, manage, register, registered, written

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld


def test_a_tpp_registers_a_client_and_uses_it(world: AuthorizationWorld) -> None:
    """Its QWAC says which TPP it is; all that was registered is told, and nothing is cached."""
    answer = register(world)
    document = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert document["registration_client_uri"] == f"{EDGE}/register/{document['client_id']}"
    assert document["client_name"] == "Acme Pay"
    assert document["scope"] == "AIS PIS PIIS accounts grant_management_query grant_management_revoke"
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


def test_an_address_that_would_never_be_called_is_refused(world: AuthorizationWorld) -> None:
    """Beside what else is wrong, when it is registered and not when it is needed."""
    signing = {"profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt"}
    answer = register(world, **signing, jwks_uri="https://localhost:8451/jwks", redirect_uris=["http://tpp.example/x"])
    faults = {fault["field"]: fault["problem"] for fault in answer.get_json()["errors"]}
    assert (answer.status_code, set(faults)) == (400, {"redirect_uris[0]", "jwks_uri"})
    assert "GATEWAY_INTERNAL_CLIENT_HOSTS=localhost:8451" in faults["jwks_uri"]

    document = registered(world, **signing, jwks_uri="https://tpp.example/jwks")
    changed = manage(world, "PUT", document, json=written(document, jwks_uri="https://10.0.0.8/jwks"))
    assert [fault["field"] for fault in changed.get_json()["errors"]] == ["jwks_uri"]


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
    assert document["scope"] == "AIS accounts grant_management_query grant_management_revoke"
    assert document["authorization_details_types"] == ["account_information"]
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
