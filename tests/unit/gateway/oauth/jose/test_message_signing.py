"""A client of FAPI 2.0 Message Signing, from its signed request to a signed word about its token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.bank import InteractionStatus
from gateway.register.model import ClientProfile, SigningAlg
from tests.support.authorization import CLIENT, ISSUER, START, authorization_parameters, client, qwac
from tests.support.jose import es256
from tests.unit.gateway.oauth.jose.test_signed_introspection import SIGNED, said
from tests.unit.gateway.oauth.jose.test_signed_responses import signed_answer

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.authorization import AuthorizationWorld

NOW = int(START.timestamp())


@pytest.fixture
def signing(world: AuthorizationWorld) -> AuthorizationWorld:
    """Lend a world whose client signs."""
    profile = ClientProfile.FAPI2_MESSAGE_SIGNING
    algs = {"authorization_signed_response_alg": SigningAlg.ES256, "introspection_signed_response_alg": SigningAlg.EDDSA}
    world.register.save_client(client(profile=profile, jwks={"keys": [es256().jwk]}, **algs))
    return world


def request_object(**changes: Any) -> str:
    asked = authorization_parameters(response_mode="jwt")
    claims = asked | {"iss": CLIENT, "aud": ISSUER, "nbf": NOW, "exp": NOW + 300} | changes
    return es256().sign({name: value for name, value in claims.items() if value is not None}, typ="oauth-authz-req+jwt")


def push(world: AuthorizationWorld, compact: str, **beside: str) -> TestResponse:
    return world.edge("/par", qwac(), data={"client_id": CLIENT, "request": compact} | beside)


def test_from_a_signed_request_to_a_signed_word_about_the_token(signing: AuthorizationWorld) -> None:
    """JAR at PAR, JARM, RFC 9701."""
    pushed = push(signing, request_object())
    assert pushed.status_code == 201, pushed.text
    assert signing.authorize_pushed(pushed.get_json()["request_uri"]).status_code == 303
    signing.bank.settle(InteractionStatus.APPROVED)
    answer = signed_answer(signing, signing.resume(), [SigningAlg.ES256])
    assert answer["state"] == "af0ifjsldkj"

    token = signing.redeem(answer["code"]).get_json()["access_token"]

    asked = signing.edge("/introspect", qwac(), data={"client_id": CLIENT, "token": token}, headers={"Accept": SIGNED})
    assert said(signing, asked)["token_introspection"]["active"] is True


def test_what_comes_through_the_browser_changes_nothing_that_was_signed(signing: AuthorizationWorld) -> None:
    """RFC 9101 §6.3: only what the request object says counts."""
    request_uri = push(signing, request_object()).get_json()["request_uri"]
    signing.authorize_pushed(request_uri, state="another", response_mode="query", scope="PIS:payment-1")
    signing.bank.settle(InteractionStatus.REJECTED)

    assert signed_answer(signing, signing.resume())["state"] == "af0ifjsldkj"
    assert signing.bank.begun[-1].kind == "ais"


def refused(answer: TestResponse) -> tuple[int, str, str]:
    body = answer.get_json()
    return answer.status_code, body["error"], body["error_description"]


def test_an_unsigned_request_is_refused(signing: AuthorizationWorld) -> None:
    """FAPI 2.0 MS §5.3.1."""
    answer = signing.edge("/par", qwac(), data=authorization_parameters(response_mode="jwt"))

    assert refused(answer) == (400, "invalid_request", "request: is missing: this client signs its requests")


@pytest.mark.parametrize("mode", [None, "query"])
def test_an_unsigned_answer_can_not_be_asked_for(signing: AuthorizationWorld, mode: str | None) -> None:
    """FAPI 2.0 MS §5.4.1."""
    answer = push(signing, request_object(response_mode=mode))

    assert refused(answer) == (400, "invalid_request", "response_mode: must be jwt: answers to this client are signed")


def test_a_request_object_that_is_not_good_is_refused_with_its_fault(signing: AuthorizationWorld) -> None:
    """RFC 9101 §7, and in sandbox mode the rule that it breaks."""
    answer = push(signing, request_object(aud="https://another.example"))

    assert refused(answer) == (400, "invalid_request_object", f"request: claim aud: must be, or hold, the issuer {ISSUER}")
    assert (answer.get_json()["reason"], answer.get_json()["clause"]) == ("jose.claim.aud", "FAPI 2.0 MS §5.3.1")


def test_a_parameter_beside_the_request_object_is_refused(signing: AuthorizationWorld) -> None:
    assert refused(push(signing, request_object(), state="af0ifjsldkj"))[1:] == (
        "invalid_request",
        "state: belongs into the request object, and nowhere else",
    )


def test_a_request_object_that_was_signed_for_another_client_is_refused(signing: AuthorizationWorld) -> None:
    """By the same TPP even, with the same key."""
    signing.register.save_client(
        client(client_id="client-3", profile=ClientProfile.FAPI2_MESSAGE_SIGNING, jwks={"keys": [es256().jwk]})
    )
    answer = signing.edge("/par", qwac(), data={"client_id": "client-3", "request": request_object()})

    assert refused(answer)[1] == "invalid_request_object"


def test_a_request_object_is_nothing_for_the_browser(signing: AuthorizationWorld) -> None:
    """At the authorization endpoint only its reference is taken."""
    answer = signing.authorize(request=request_object())

    assert signed_answer(signing, answer)["error"] == "request_not_supported"
