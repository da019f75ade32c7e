"""Introspection answers as evidence (RFC 9701)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.jose.algorithms import SUPPORTED
from gateway.oauth.jose.jws import verified_jws
from gateway.oauth.jose.key_set import read_registered_keys
from gateway.oauth.jose.refusals import JwsRefused
from gateway.register.model import SigningAlg
from tests.support.authorization import CLIENT, ISSUER, client, qwac

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.authorization import AuthorizationWorld

TYP = "token-introspection+jwt"
SIGNED = f"application/{TYP}"


def asked(world: AuthorizationWorld, token: str, accept: str | None) -> TestResponse:
    headers = {} if accept is None else {"Accept": accept}
    return world.edge("/introspect", qwac(), data={"client_id": CLIENT, "token": token}, headers=headers)


def said(world: AuthorizationWorld, answer: TestResponse) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, SIGNED)
    keys = read_registered_keys(world.front("/jwks").data)
    return dict(verified_jws(answer.text, keys, algs=SUPPORTED, typ=TYP).values)


def test_who_asks_for_a_jwt_gets_what_is_said_otherwise_signed(world: AuthorizationWorld) -> None:
    """RFC 9701 §5: issuer, audience, time; `sub` and `exp` only inside, so that it is no access token."""
    token = world.tokens()["access_token"]

    answer = asked(world, token, SIGNED)

    assert said(world, answer) == {
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": int(world.clock.now().timestamp()),
        "token_introspection": world.introspect(token),
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_of_a_token_that_is_not_active_nothing_else_is_said(world: AuthorizationWorld) -> None:
    """RFC 9701 §5."""
    assert said(world, asked(world, "unknown", SIGNED))["token_introspection"] == {"active": False}


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", f"application/json, {SIGNED};q=0.5"])
def test_who_prefers_json_gets_json(world: AuthorizationWorld, accept: str | None) -> None:
    assert asked(world, world.tokens()["access_token"], accept).get_json()["active"] is True


@pytest.mark.parametrize("alg", list(SigningAlg))
def test_it_is_signed_as_the_client_registered(world: AuthorizationWorld, alg: SigningAlg) -> None:
    """`introspection_signed_response_alg`."""
    world.register.save_client(client(introspection_signed_response_alg=alg))
    answer = asked(world, "unknown", SIGNED)

    assert verified_jws(answer.text, read_registered_keys(world.front("/jwks").data), algs=[alg], typ=TYP)


def test_it_passes_for_nothing_else(world: AuthorizationWorld) -> None:
    """Its type is its own (RFC 8725 §3.11)."""
    answer = asked(world, "unknown", SIGNED)

    with pytest.raises(JwsRefused, match="typ"):
        verified_jws(answer.text, read_registered_keys(world.front("/jwks").data), algs=SUPPORTED)


def test_a_refusal_is_json_as_ever(world: AuthorizationWorld) -> None:
    """It is no introspection answer."""
    answer = world.edge("/introspect", qwac(), data={"client_id": CLIENT}, headers={"Accept": SIGNED})

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
