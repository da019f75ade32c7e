"""Forms that are answered before Flask is asked are answered as by Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.authorization import CLIENT, qwac

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld

CLIENT_TOKEN = {"grant_type": "client_credentials", "client_id": CLIENT}
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def test_flask_has_the_same_endpoints(world: AuthorizationWorld) -> None:
    """A body that is coded for its transfer goes that way, and has the same answer, which nobody keeps (RFC 6749 §5.1)."""
    straight = world.edge("/token", qwac(), data=CLIENT_TOKEN)
    by_flask = world.edge("/token", qwac(), data=CLIENT_TOKEN, headers={"Transfer-Encoding": "identity"})

    assert (straight.status_code, by_flask.status_code) == (200, 200)
    assert straight.headers == by_flask.headers
    assert NO_STORE.items() <= dict(straight.headers).items()
    assert straight.get_json().keys() == by_flask.get_json().keys()


def test_a_refusal_on_the_straight_way_is_told_as_any_other(world: AuthorizationWorld) -> None:
    answer = world.edge("/token", qwac(), data=CLIENT_TOKEN | {"client_id": "nobody"})

    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert "X-Sandbox-Refusal" in answer.headers


def test_a_body_larger_than_is_read_is_refused(world: AuthorizationWorld) -> None:
    answer = world.edge("/token", qwac(), data=CLIENT_TOKEN | {"scope": "x" * 65_536})

    assert answer.status_code == 413


def test_who_does_not_come_by_the_edge_is_given_nothing(world: AuthorizationWorld) -> None:
    """The straight way asks for the listener and the caller itself."""
    by_front = world.edge("/token", qwac(), data=CLIENT_TOKEN, headers={"X-Sandbox-Listener": "front"})
    by_another = world.edge("/token", qwac(), data=CLIENT_TOKEN, caller="portal")

    assert (by_front.status_code, by_another.status_code) == (404, 404)
