"""Tokens are bound to the certificate presented; a renewed one gets new tokens and keeps the grant (RFC 8705 §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from psd2.thumbprints import x5t_s256
from tests.support.authorization import CLIENT, NUMBER, OTHER_CLIENT, OTHER_NUMBER, authority, qwac

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld
    from tests.support.pki import Issued


@pytest.fixture
def renewed() -> Issued:
    """Another QWAC of the same TPP, as after a renewal."""
    return authority().qwac(number=NUMBER)


def test_each_grant_binds_to_the_certificate_of_its_own_request(world: AuthorizationWorld, renewed: Issued) -> None:
    """Code, refresh and client credentials alike."""
    code = world.redeem(world.code(), certificate=renewed).get_json()
    refreshed = world.refresh(code["refresh_token"]).get_json()
    own = world.token(certificate=renewed, grant_type="client_credentials").get_json()

    bound_to = [world.introspect(token["access_token"])["cnf"]["x5t#S256"] for token in (code, refreshed, own)]
    assert bound_to == [renewed.thumbprint, qwac().thumbprint, renewed.thumbprint]
    assert x5t_s256(renewed.der) == renewed.thumbprint != qwac().thumbprint


def test_renewal_keeps_the_refresh_token(world: AuthorizationWorld, renewed: Issued) -> None:
    """Another certificate of the same TPP renews; the new access token is bound to the new certificate."""
    tokens = world.tokens()

    answer = world.refresh(tokens["refresh_token"], certificate=renewed)

    assert answer.status_code == 200
    assert world.introspect(answer.get_json()["access_token"])["cnf"] == {"x5t#S256": renewed.thumbprint}


def test_renewal_leaves_old_access_tokens_bound_to_the_old_certificate(world: AuthorizationWorld, renewed: Issued) -> None:
    """So the edge refuses them over the new one."""
    tokens = world.tokens()
    world.refresh(tokens["refresh_token"], certificate=renewed)

    assert world.introspect(tokens["access_token"])["cnf"] == {"x5t#S256": qwac().thumbprint}


def test_another_tpp_cannot_renew(world: AuthorizationWorld) -> None:
    """Neither as itself nor in the name of the client the refresh token was given to."""
    refresh_token = world.tokens()["refresh_token"]

    as_itself = world.refresh(refresh_token, certificate=qwac(OTHER_NUMBER), client_id=OTHER_CLIENT)
    in_its_name = world.refresh(refresh_token, certificate=qwac(OTHER_NUMBER), client_id=CLIENT)

    assert (as_itself.status_code, as_itself.get_json()["error"]) == (400, "invalid_grant")
    assert (in_its_name.status_code, in_its_name.get_json()["error"]) == (401, "invalid_client")
