"""The public keys as clients fetch them (RFC 7517 §5, RFC 8414 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.oauth.jose.endpoint import CACHE_SECONDS
from gateway.oauth.jose.key_set import read_registered_keys
from tests.support.authorization import qwac
from tests.support.jose import SCHEDULE

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld


def test_anybody_may_fetch_the_keys_and_keep_them_for_a_while(world: AuthorizationWorld) -> None:
    """For far less time than a key is published before it signs."""
    answer = world.front("/jwks")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/jwk-set+json"
    assert answer.headers["Cache-Control"] == f"public, max-age={CACHE_SECONDS}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(read_registered_keys(answer.data).keys) == 6
    assert SCHEDULE.ahead.total_seconds() > CACHE_SECONDS


def test_the_keys_are_served_by_the_front_alone(world: AuthorizationWorld) -> None:
    """As every address, by one listener."""
    assert world.edge("/jwks", qwac()).status_code == 405
    assert world.front("/jwks", headers={"X-Sandbox-Listener": "edge"}).status_code == 404
