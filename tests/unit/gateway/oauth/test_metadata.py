"""Discovery: each advertised value is true (RFC 8414, RFC 8705 §5, RFC 9207 §3)."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc.jwk import ECKey

from gateway.register.model import AuthMethod, ClientProfile
from tests.support.authorization import CLIENT, ISSUER, VERIFIER, answer_of, authorization_parameters, client, qwac
from tests.support.client_assertions import ASSERTION_TYPE, assertion
from tests.support.jose import eddsa, es256, jwks, ps256

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld

PATH = "/.well-known/oauth-authorization-server"
EDGE = "https://localhost:8443"
METHODS = ["tls_client_auth", "self_signed_tls_client_auth", "private_key_jwt"]
ALGORITHMS = ["PS256", "ES256", "EdDSA", "Ed25519"]

CIBA = "urn:openid:params:grant-type:ciba"


@pytest.fixture
def metadata(world: AuthorizationWorld) -> dict[str, Any]:
    body: dict[str, Any] = world.front(PATH).get_json()
    return body


def test_the_metadata_is_valid_by_an_independent_reader(metadata: dict[str, Any]) -> None:
    """Authlib's RFC 8414 validator takes it."""
    AuthorizationServerMetadata(metadata).validate()


def test_exactly_these_members_are_advertised(metadata: dict[str, Any]) -> None:
    """Nothing is said that no test below proves; the port of each address is the configured one."""
    aliases = {
        "token_endpoint": f"{EDGE}/token",
        "pushed_authorization_request_endpoint": f"{EDGE}/par",
        "introspection_endpoint": f"{EDGE}/introspect",
        "revocation_endpoint": f"{EDGE}/revoke",
        "backchannel_authentication_endpoint": f"{EDGE}/bc-authorize",
        "registration_endpoint": f"{EDGE}/register",
    }
    assert metadata == {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "jwks_uri": f"{ISSUER}/jwks",
        **aliases,
        "mtls_endpoint_aliases": aliases,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "jwt", "query.jwt"],
        "authorization_signing_alg_values_supported": ["PS256", "ES256", "EdDSA"],
        "introspection_signing_alg_values_supported": ["PS256", "ES256", "EdDSA"],
        "scopes_supported": ["accounts", "grant_management_query", "grant_management_revoke"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", CIBA],
        "backchannel_token_delivery_modes_supported": ["poll", "ping"],
        "backchannel_user_code_parameter_supported": False,
        "backchannel_authentication_request_signing_alg_values_supported": ALGORITHMS,
        "request_object_signing_alg_values_supported": ALGORITHMS,
        "require_signed_request_object": False,
        "code_challenge_methods_supported": ["S256"],
        **{f"{name}_endpoint_auth_methods_supported": METHODS for name in ("token", "introspection", "revocation")},
        **{
            f"{name}_endpoint_auth_signing_alg_values_supported": ALGORITHMS
            for name in ("token", "introspection", "revocation")
        },
        "require_pushed_authorization_requests": False,
        "authorization_response_iss_parameter_supported": True,
        "tls_client_certificate_bound_access_tokens": True,
        "authorization_details_types_supported": ["account_information", "payment_initiation", "funds_confirmation"],
        "grant_management_actions_supported": ["query", "revoke", "create", "merge", "replace"],
        "grant_management_endpoint": f"{EDGE}/grants",
        "grant_management_action_required": False,
        "dpop_signing_alg_values_supported": ["ES256", "Ed25519", "EdDSA", "PS256"],
    }


def test_every_advertised_scope_is_granted(world: AuthorizationWorld, metadata: dict[str, Any]) -> None:
    """All of them at once: the PSU's consent stands in the place of `accounts`."""
    accounts, *of_grants = metadata["scopes_supported"]
    tokens = world.tokens(scope=" ".join([accounts, *of_grants]), grant_management_action="create")
    assert tokens["scope"] == " ".join(["AIS:made-1", *of_grants])


def _base64(der: bytes) -> str:
    return b64encode(der).decode()


def test_the_metadata_may_be_cached_for_a_while_and_is_nothing_but_json(world: AuthorizationWorld) -> None:
    """Clients ask for it often; no browser may take it for a page."""
    answer = world.front(PATH)

    assert answer.headers["Cache-Control"] == "max-age=300"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_every_advertised_endpoint_answers(world: AuthorizationWorld, metadata: dict[str, Any]) -> None:
    """An address that leads nowhere would be a lie."""
    for name, address in metadata["mtls_endpoint_aliases"].items():
        assert world.edge(urlsplit(address).path, qwac(), data={}).status_code == 400, name
    assert world.front(metadata["authorization_endpoint"]).status_code == 400


def test_every_advertised_grant_type_gives_a_token_with_the_advertised_method(
    world: AuthorizationWorld, metadata: dict[str, Any]
) -> None:
    """The grants, each authenticated by the certificate alone, PKCE with S256; CIBA's: ciba/test_backchannel.py."""
    tokens = world.tokens()
    proven = {
        "authorization_code": tokens,
        "refresh_token": world.refresh(tokens["refresh_token"]).get_json(),
        "client_credentials": world.token(grant_type="client_credentials").get_json(),
    }
    assert set(metadata["grant_types_supported"]) - {CIBA} == {
        name for name, answer in proven.items() if answer["access_token"]
    }


def registered_for(world: AuthorizationWorld, method: str) -> None:
    """Register the client for a method of authentication, with keys for each algorithm and its certificate."""
    own = {**ECKey(qwac().certificate.public_key(), None).as_dict(private=False), "kid": "tls", "x5c": [_base64(qwac().der)]}
    keys = json.loads(jwks(es256(), ps256(), eddsa(), own)) if method != "tls_client_auth" else None
    world.register.save_client(client(token_endpoint_auth_method=AuthMethod(method), jwks=keys))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["/token", "/par", "/introspect", "/revoke"])
def test_every_advertised_method_and_algorithm_authenticates(
    world: AuthorizationWorld, metadata: dict[str, Any], method: str, path: str
) -> None:
    """At every endpoint that advertises it; PAR takes what the token endpoint takes (RFC 9126 §5)."""
    assert method in metadata["token_endpoint_auth_methods_supported"]
    registered_for(world, method)
    signers = (
        {"PS256": ps256(), "ES256": es256(), "EdDSA": eddsa(), "Ed25519": replace(eddsa(), alg="Ed25519")}
        if method == "private_key_jwt"
        else {}
    )
    credentials = [
        {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion(signer=signers[name], jti=name)}
        for name in metadata["token_endpoint_auth_signing_alg_values_supported"]
        if signers
    ]
    for each in credentials or [{}]:
        of_token = {"client_id": CLIENT, "grant_type": "client_credentials", "token": "x"}
        body = (authorization_parameters() if path == "/par" else of_token) | each
        assert world.edge(path, qwac(), data=body).status_code in {200, 201}


def test_pushing_is_for_whom_it_is_advertised(world: AuthorizationWorld, metadata: dict[str, Any]) -> None:
    """Not required of everybody, required of clients of FAPI 2.0."""
    assert metadata["require_pushed_authorization_requests"] is False
    assert world.authorize().headers["Location"].startswith(f"{ISSUER}/psu/")
    world.register.save_client(client(profile=ClientProfile.FAPI2))
    assert answer_of(world.authorize())["error"] == "invalid_request"
    assert world.authorize_pushed(world.request_uri()).headers["Location"].startswith(f"{ISSUER}/psu/")


def test_the_advertised_issuer_is_the_one_in_answers(world: AuthorizationWorld, metadata: dict[str, Any]) -> None:
    """RFC 9207 §2.4: a client compares the two."""
    assert answer_of(world.authorize(scope=None))["iss"] == metadata["issuer"]


def test_advertised_bound_tokens_are_bound(world: AuthorizationWorld) -> None:
    """`tls_client_certificate_bound_access_tokens` shows in the introspection answer."""
    assert world.introspect(world.tokens()["access_token"])["cnf"] == {"x5t#S256": qwac().thumbprint}


def test_what_is_not_advertised_is_refused(world: AuthorizationWorld) -> None:
    """Neither another response type nor another grant type nor plain PKCE gets through."""
    assert answer_of(world.authorize(response_type="token"))["error"] == "unsupported_response_type"
    assert world.token(grant_type="password").get_json()["error"] == "unsupported_grant_type"
    assert answer_of(world.authorize(code_challenge=VERIFIER, code_challenge_method="plain"))["error"] == "invalid_request"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/userinfo"])
def test_there_is_no_openid_provider_here(world: AuthorizationWorld, path: str) -> None:
    """What isn't offered isn't found."""
    assert world.front(path).status_code == 404


def test_no_other_origin_may_read_the_front(world: AuthorizationWorld) -> None:
    """Neither metadata nor pages carry CORS headers, whatever origin asks."""
    for path in (PATH, "/authorize"):
        answer = world.front(path, headers={"Origin": "https://evil.example"})
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
