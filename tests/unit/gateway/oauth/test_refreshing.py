"""Refresh and client credentials grants (RFC 6749 §6, §4.4)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from gateway.oauth.store import SqlOAuthStore
from psd2.roles import PspRole
from tests.support.authorization import CLIENT, CONSENT, PAYMENT, client, tpp

if TYPE_CHECKING:
    from gateway.oauth.model import AccessToken
    from tests.support.authorization import AuthorizationWorld


def test_a_refresh_token_gives_access_tokens_and_stays(world: AuthorizationWorld) -> None:
    """No rotation: it is bound to its client, and a lost answer must not cost the PSU a new SCA."""
    tokens = world.tokens()

    first = world.refresh(tokens["refresh_token"]).get_json()
    second = world.refresh(tokens["refresh_token"]).get_json()

    assert set(first) == {"access_token", "token_type", "expires_in", "scope"}
    assert first["scope"] == f"AIS:{CONSENT}"
    assert len({tokens["access_token"], first["access_token"], second["access_token"]}) == 3
    for token in (tokens, first, second):
        assert world.introspect(token["access_token"])["active"] is True


def test_a_refresh_token_is_its_clients(world: AuthorizationWorld) -> None:
    """Another client of the same TPP, with the same certificate, is another client."""
    world.register.save_client(client(client_id="client-1b"))
    tokens = world.tokens()

    answer = world.refresh(tokens["refresh_token"], client_id="client-1b")

    assert answer.get_json()["error_description"] == "refresh_token: is not known, or was given to another client"


def test_an_expired_refresh_token_is_refused(world: AuthorizationWorld) -> None:
    """After 180 days, unless configured otherwise."""
    tokens = world.tokens()
    world.clock.advance(dt.timedelta(days=180, seconds=-1))
    assert world.refresh(tokens["refresh_token"]).status_code == 200
    world.clock.advance(dt.timedelta(seconds=1))

    assert world.refresh(tokens["refresh_token"]).get_json()["error_description"] == "refresh_token: has expired"


def test_a_role_lost_since_stops_renewal(world: AuthorizationWorld) -> None:
    """An authority has taken the licence back: no more access tokens."""
    tokens = world.tokens()
    world.register.save_tpp(tpp(roles=frozenset({PspRole.PI})))

    assert world.refresh(tokens["refresh_token"]).get_json()["reason"] == "psd2.role"


@pytest.mark.parametrize("secret", ["access_token", "nothing"])
def test_what_is_no_refresh_token_is_refused(world: AuthorizationWorld, secret: str) -> None:
    """An access token renews nothing."""
    value = world.tokens().get(secret, "x" * 43)

    assert world.refresh(str(value)).get_json()["error"] == "invalid_grant"


def test_a_refresh_token_has_to_be_sent(world: AuthorizationWorld) -> None:
    """The error names the parameter."""
    answer = world.token(grant_type="refresh_token")

    assert answer.get_json()["error_description"] == "refresh_token: is missing"


def test_a_client_alone_gets_a_token_without_scope(world: AuthorizationWorld) -> None:
    """No PSU, so no scope, no subject, nothing to renew."""
    body = world.token(grant_type="client_credentials").get_json()

    assert set(body) == {"access_token", "token_type", "expires_in"}
    introspected = world.introspect(body["access_token"])
    assert introspected["active"] is True
    assert "scope" not in introspected


def test_a_client_alone_gets_no_scope(world: AuthorizationWorld) -> None:
    """A consent needs its PSU."""
    answer = world.token(grant_type="client_credentials", scope=f"AIS:{CONSENT}")

    assert answer.get_json()["error"] == "invalid_scope"


def test_a_deleted_clients_tokens_die(world: AuthorizationWorld) -> None:
    """Even where the client is registered again under the same id."""
    tokens = world.tokens()
    world.register.delete_client(CLIENT)
    world.register.save_client(client())

    assert world.introspect(tokens["access_token"]) == {"active": False}
    assert world.refresh(tokens["refresh_token"]).get_json()["error_description"] == "the grant was revoked"


def test_refreshing_gives_no_more_than_was_granted(world: AuthorizationWorld) -> None:
    """RFC 6749 §6: the same scope, named or not; who asks for another is told which it has."""
    refresh_token = world.tokens()["refresh_token"]
    assert world.refresh(refresh_token, scope=f"AIS:{CONSENT}").status_code == 200
    answer = world.refresh(refresh_token, scope=f"AIS:{CONSENT} PIS:{PAYMENT}")
    assert answer.status_code == 400
    assert (answer.get_json()["error"], answer.get_json()["reason"]) == ("invalid_scope", "oauth.scope")
    assert answer.get_json()["error_description"] == f"scope: is wider than what was granted, AIS:{CONSENT}"


def test_a_client_that_is_gone_by_then_is_given_nothing(world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleted between its authentication and the moment at which its token is kept."""
    keep = SqlOAuthStore.add_access_token

    def too_late(store: SqlOAuthStore, access: AccessToken) -> None:
        world.register.delete_client(CLIENT)
        keep(store, access)

    monkeypatch.setattr(SqlOAuthStore, "add_access_token", too_late)

    assert world.token(grant_type="client_credentials").get_json()["error_description"] == "the grant was revoked"


def test_what_was_asked_for_first_may_be_asked_for_again(world: AuthorizationWorld) -> None:
    """`accounts`, of which the consent has been made that the scope names now; of a payment it is no name (RFC 6749 §6)."""
    chosen = world.tokens(scope="accounts")
    funds = world.tokens(scope=f"PIIS:{CONSENT}")

    assert world.refresh(chosen["refresh_token"], scope="accounts").get_json()["scope"] == chosen["scope"] == "AIS:made-1"
    assert world.refresh(funds["refresh_token"], scope="accounts").get_json()["error"] == "invalid_scope"
