"""Introspection (RFC 7662) and revocation (RFC 7009): one's own tokens only, told to every worker at once."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from gateway.oauth.model import secret_sha256
from gateway.tables.configuration import changes
from gateway.tables.oauth import access_tokens
from tests.support.authorization import CLIENT, CONSENT, ISSUER, OTHER_CLIENT, OTHER_NUMBER, START, client, qwac

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld


def told_tokens(world: AuthorizationWorld) -> list[str]:
    with world.engine.connect() as connection:
        return [row.key for row in connection.execute(select(changes).where(changes.c.kind == "token"))]


def test_an_access_token_is_described(world: AuthorizationWorld) -> None:
    """With `cnf`; without the PSU's login, which is not the TPP's business."""
    issued_at = int(START.timestamp())

    assert world.introspect(world.tokens()["access_token"]) == {
        "active": True,
        "iss": ISSUER,
        "client_id": CLIENT,
        "iat": issued_at,
        "exp": issued_at + 600,
        "scope": f"AIS:{CONSENT}",
        "token_type": "Bearer",
        "cnf": {"x5t#S256": qwac().thumbprint},
    }


def test_a_refresh_token_is_described(world: AuthorizationWorld) -> None:
    """It is no bearer token and bound to no certificate."""
    described = world.introspect(world.tokens()["refresh_token"])

    assert described["active"] is True
    assert not {"cnf", "token_type"} & set(described)


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "saml", ""])
def test_a_hint_changes_nothing(world: AuthorizationWorld, hint: str) -> None:
    """RFC 7662 §2.1: a wrong or unknown one is no error."""
    assert world.introspect(world.tokens()["access_token"], token_type_hint=hint)["active"] is True


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_another_clients_token_is_inactive(world: AuthorizationWorld, kind: str) -> None:
    """RFC 7662 §2.2: not even that it exists is told."""
    token = world.tokens()[kind]

    assert world.introspect(token, certificate=qwac(OTHER_NUMBER), client_id=OTHER_CLIENT) == {"active": False}


def test_another_client_of_the_same_tpp_learns_nothing_either(world: AuthorizationWorld) -> None:
    """Clients are kept apart, not only firms."""
    world.register.save_client(client(client_id="client-1b"))

    assert world.introspect(world.tokens()["access_token"], client_id="client-1b") == {"active": False}


def test_an_unknown_token_is_inactive(world: AuthorizationWorld) -> None:
    """And so is an expired one."""
    token = world.tokens()["access_token"]
    world.clock.advance(dt.timedelta(seconds=600))

    assert world.introspect("x" * 43) == {"active": False}
    assert world.introspect(token) == {"active": False}


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
def test_a_token_has_to_be_sent(world: AuthorizationWorld, path: str) -> None:
    """The error names the parameter."""
    answer = world.edge(path, qwac(), data={"client_id": CLIENT})

    assert (answer.status_code, answer.get_json()["error_description"]) == (400, "token: is missing")


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
def test_a_token_in_the_query_is_refused(world: AuthorizationWorld, path: str) -> None:
    """It would be in every log on the way."""
    answer = world.edge(f"{path}?token=x", qwac(), data={"client_id": CLIENT})

    assert answer.get_json()["error"] == "invalid_request"


def test_a_revoked_access_token_dies_alone(world: AuthorizationWorld) -> None:
    """The refresh token stays, and every worker is told which one went."""
    tokens = world.tokens()

    answer = world.revoke(tokens["access_token"])

    assert (answer.status_code, answer.get_json()) == (200, {})
    assert world.introspect(tokens["access_token"]) == {"active": False}
    assert told_tokens(world) == [secret_sha256(tokens["access_token"])]
    assert world.refresh(tokens["refresh_token"]).status_code == 200


def test_a_revoked_refresh_token_takes_its_grant_along(world: AuthorizationWorld) -> None:
    """RFC 7009 §2.1: the access tokens of the same grant too, renewed ones included, and no others."""
    other = world.tokens()
    tokens = world.tokens()
    renewed = world.refresh(tokens["refresh_token"]).get_json()

    world.revoke(tokens["refresh_token"])

    dead = [tokens["refresh_token"], tokens["access_token"], renewed["access_token"]]
    assert [world.introspect(token)["active"] for token in dead] == [False, False, False]
    assert set(told_tokens(world)) == {secret_sha256(token) for token in dead}
    assert world.introspect(other["access_token"])["active"] is True
    assert world.refresh(tokens["refresh_token"]).get_json()["error_description"] == "the grant was revoked"


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_another_clients_token_is_not_revoked(world: AuthorizationWorld, kind: str) -> None:
    """RFC 7009 §2.1: refused, and the client is told."""
    token = world.tokens()[kind]

    answer = world.revoke(token, certificate=qwac(OTHER_NUMBER), client_id=OTHER_CLIENT)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")
    assert world.introspect(token)["active"] is True
    assert told_tokens(world) == []


def test_revoking_the_unknown_is_a_success(world: AuthorizationWorld) -> None:
    """RFC 7009 §2.2: what the client wants is true already; nobody needs to be told."""
    assert world.revoke("x" * 43).status_code == 200
    assert told_tokens(world) == []


def test_revoking_twice_is_a_success_and_told_once(world: AuthorizationWorld) -> None:
    """The first time stands in the database."""
    token = world.tokens()["access_token"]
    world.revoke(token)
    world.clock.advance(dt.timedelta(seconds=10))
    world.revoke(token)

    with world.engine.connect() as connection:
        assert connection.execute(select(access_tokens.c.revoked_at)).scalar_one() == START.timestamp()
    assert len(told_tokens(world)) == 1


def test_an_unknown_hint_does_not_hinder_revocation(world: AuthorizationWorld) -> None:
    """Authlib would answer 401 unsupported_token_type."""
    token = world.tokens()["access_token"]

    assert world.revoke(token, token_type_hint="saml").status_code == 200
    assert world.introspect(token) == {"active": False}
