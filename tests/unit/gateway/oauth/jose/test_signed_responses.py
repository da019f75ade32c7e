"""Signed answers to authorization requests (JARM, FAPI 2.0 MS §5.4): everything inside, for this client, for a short time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.oauth.authorization_response import ANSWER_LIFE
from gateway.oauth.bank import InteractionStatus
from gateway.oauth.jose.algorithms import SUPPORTED
from gateway.oauth.jose.jws import verified_jws
from gateway.oauth.jose.key_set import read_registered_keys
from gateway.oauth.parameters import Parameters
from gateway.oauth.refusals import OAuthRefused
from gateway.oauth.response_modes import require_response_mode, return_address
from gateway.register.model import ClientProfile, ClientStatus, SigningAlg
from tests.support.authorization import CLIENT, ISSUER, REDIRECT_URI, client

if TYPE_CHECKING:
    from collections.abc import Collection

    from werkzeug.test import TestResponse

    from tests.support.authorization import AuthorizationWorld


def signed_answer(world: AuthorizationWorld, answer: TestResponse, algs: Collection[SigningAlg] = SUPPORTED) -> dict[str, Any]:
    """Return what a signed answer says, verified as the client does it; nothing stands beside it."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["Location"]
    assert location.startswith(f"{REDIRECT_URI}?"), location
    parameters = parse_qs(urlsplit(location).query, strict_parsing=True)
    assert list(parameters) == ["response"]
    keys = read_registered_keys(world.front("/jwks").data)
    return dict(verified_jws(parameters["response"][0], keys, algs=algs).values)


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
def test_the_code_comes_signed_with_issuer_audience_and_end(world: AuthorizationWorld, mode: str) -> None:
    """JARM §4.1; and the code in it is as good as any."""
    world.authorize(response_mode=mode)
    world.bank.settle(InteractionStatus.APPROVED)

    said = signed_answer(world, world.resume())

    now = int(world.clock.now().timestamp())
    assert said == {
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": now,
        "exp": now + int(ANSWER_LIFE.total_seconds()),
        "state": "af0ifjsldkj",
        "code": said["code"],
    }
    assert ANSWER_LIFE.total_seconds() <= 600
    assert world.redeem(said["code"]).status_code == 200


def test_without_a_state_none_is_said(world: AuthorizationWorld) -> None:
    world.authorize(response_mode="jwt", state=None)
    world.bank.settle(InteractionStatus.APPROVED)

    assert "state" not in signed_answer(world, world.resume())


@pytest.mark.parametrize("alg", list(SigningAlg))
def test_it_is_signed_as_the_client_registered(world: AuthorizationWorld, alg: SigningAlg) -> None:
    """`authorization_signed_response_alg`."""
    world.register.save_client(client(authorization_signed_response_alg=alg))

    assert signed_answer(world, world.authorize(response_mode="jwt", scope=None), [alg])["error"] == "invalid_request"


def test_without_a_registered_algorithm_it_is_ps256(world: AuthorizationWorld) -> None:
    """RS256, which JARM §5 would have, is none of FAPI 2.0."""
    assert signed_answer(world, world.authorize(response_mode="jwt", scope=None), [SigningAlg.PS256])["error"]


def test_a_refusal_before_the_psu_comes_signed(world: AuthorizationWorld) -> None:
    """Errors too: who forges one could make a client believe that its PSU refused."""
    said = signed_answer(world, world.authorize(response_mode="jwt", scope="AIS:unknown"))

    assert (said["error"], said["state"], said["aud"]) == ("invalid_scope", "af0ifjsldkj", CLIENT)
    assert "error_description" in said


@pytest.mark.parametrize("status", [InteractionStatus.REJECTED, InteractionStatus.EXPIRED, InteractionStatus.FAILED])
def test_a_refusal_of_the_psu_comes_signed(world: AuthorizationWorld, status: InteractionStatus) -> None:
    world.authorize(response_mode="jwt")
    world.bank.settle(status)

    assert signed_answer(world, world.resume())["error"] == "access_denied"


def test_a_psu_that_comes_too_late_is_told_of_signed(world: AuthorizationWorld) -> None:
    world.authorize(response_mode="jwt")
    world.clock.advance(dt.timedelta(seconds=901))

    assert signed_answer(world, world.resume())["error"] == "access_denied"


def test_a_client_blocked_meanwhile_is_told_so_signed(world: AuthorizationWorld) -> None:
    """Judged once more when the browser comes back, in the mode that was asked for."""
    world.authorize(response_mode="jwt")
    world.bank.settle(InteractionStatus.APPROVED)
    world.register.save_client(client(status=ClientStatus.BLOCKED))

    assert signed_answer(world, world.resume())["error"] == "unauthorized_client"


def message_signing() -> Any:
    return client(profile=ClientProfile.FAPI2_MESSAGE_SIGNING, authorization_signed_response_alg=SigningAlg.ES256)


@pytest.mark.parametrize("mode", [None, "query"])
def test_a_client_of_message_signing_has_to_ask_for_signed_answers(mode: str | None) -> None:
    """FAPI 2.0 MS §5.4.1; and what it is refused with comes signed."""
    asked = Parameters({"response_mode": mode} if mode else {})

    with pytest.raises(OAuthRefused, match="must be jwt"):
        require_response_mode(asked, message_signing())
    assert return_address(asked, message_signing(), REDIRECT_URI).response_alg == "ES256"


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
def test_either_name_will_do(mode: str) -> None:
    require_response_mode(Parameters({"response_mode": mode}), message_signing())


@pytest.mark.parametrize("mode", ["fragment", "form_post", "fragment.jwt", "form_post.jwt", "JWT"])
def test_other_modes_are_refused(mode: str) -> None:
    """A fragment or a form is no place for a code here."""
    with pytest.raises(OAuthRefused, match=r"must be one of query, jwt, query\.jwt"):
        require_response_mode(Parameters({"response_mode": mode}), client())
    assert return_address(Parameters({"response_mode": mode}), client(), REDIRECT_URI).response_alg is None
