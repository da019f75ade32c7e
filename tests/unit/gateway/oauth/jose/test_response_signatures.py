"""The authorization server signs what the edge answers with, for the edge alone, and nothing else than such answers."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.jose.jws import REGISTRY
from gateway.oauth.jose.key_set import read_registered_keys
from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.authorization import AuthorizationWorld

PATH = "/internal/response-signatures"
PARAMETERS = '("@status" "@method";req);created=1800000000;tag="fapi-2-response"'
LINES = ['"@status": 200', '"@method";req: GET']


def asked(
    world: AuthorizationWorld, *, caller: str = "gateway", headers: dict[str, str] | None = None, **said: Any
) -> TestResponse:
    body = {"alg": "ES256", "lines": LINES, "parameters": PARAMETERS} | said
    return world.app.test_client().post(PATH, json=body, headers=headers, environ_overrides={"chassis.caller": caller})


@pytest.mark.parametrize("alg", SigningAlg)
def test_a_base_is_signed_with_a_key_that_is_published(world: AuthorizationWorld, alg: SigningAlg) -> None:
    """Which key it is, it says; clients find it at `/jwks`."""
    answer = asked(world, alg=alg.value).json
    assert answer is not None
    (key,) = read_registered_keys(world.front("/jwks").data).of_kid(answer["keyid"])
    base = "\n".join([*LINES, f'"@signature-params": {PARAMETERS};keyid="{answer["keyid"]}"'])
    assert key.algorithm is alg
    assert REGISTRY.get_alg(alg.value).verify(base.encode(), base64.b64decode(answer["signature"]), key.key)


@pytest.mark.parametrize("listener", ["edge", "front", ""])
def test_what_came_by_a_listener_is_not_signed(world: AuthorizationWorld, listener: str) -> None:
    """Even where a deployment led there: the edge says of everything that it passes on where it came from."""
    assert asked(world, headers={"X-Sandbox-Listener": listener}).status_code == 404


def test_nobody_but_the_edge_has_anything_signed(world: AuthorizationWorld) -> None:
    assert asked(world, caller="portal").status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        {"lines": ["eyJhbGciOiJFUzI1NiJ9.e30"], "parameters": PARAMETERS},
        {"parameters": PARAMETERS.replace("response", "request")},
        {"alg": "HS256"},
        {"alg": None},
        {"lines": None},
    ],
)
def test_nothing_else_is_signed(world: AuthorizationWorld, said: dict[str, Any]) -> None:
    """A JWS with the server's key would be a token."""
    assert asked(world, **said).status_code == 400
