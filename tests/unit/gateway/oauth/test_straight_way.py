"""Forms that are answered before Flask is asked are answered as by Flask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from sqlalchemy.exc import OperationalError

from chassis.serving.straight_way import StraightWay
from gateway.oauth.store import SqlOAuthStore
from tests.support.authorization import (
    CLIENT,
    CONSENT,
    AuthorizationWorld,
    authorization_parameters,
    authorization_url,
    qwac,
)
from tests.support.backchannel import register_for_ciba

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from werkzeug.test import TestResponse

CLIENT_TOKEN = {"grant_type": "client_credentials", "client_id": CLIENT}
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
FORM = "application/x-www-form-urlencoded"
INTERACTIONS = "/sandbox/v1/psu-interactions"
RIGHT = {
    "/token": urlencode(CLIENT_TOKEN),
    "/par": urlencode(authorization_parameters()),
    "/revoke": urlencode({"client_id": CLIENT, "token": "unknown"}),
    "/bc-authorize": urlencode({"client_id": CLIENT, "scope": f"AIS:{CONSENT}", "login_hint": "anna.weber"}),
    INTERACTIONS: json.dumps({"url": authorization_url(), "psu": "anna.weber", "result": "APPROVED"}),
}
GRANT_TYPE = f"client_id={CLIENT}&grant_type="
# Each odd in one way.
ODD: dict[str, dict[str, Any]] = {
    "right": {},
    "no body": {"data": ""},
    "a lone separator": {"data": "&"},
    "a lone name": {"data": "client_id"},
    "an empty value": {"data": f"client_id=&{RIGHT['/token']}"},
    "a field twice": {"data": f"{RIGHT['/token']}&client_id={CLIENT}"},
    "a broken escape": {"data": f"{GRANT_TYPE}%zz"},
    "half a character": {"data": f"{GRANT_TYPE}%c3"},
    "NUL": {"data": f"{GRANT_TYPE}%00"},
    "a plus": {"data": f"{GRANT_TYPE}client+credentials"},
    "bytes": {"data": b"client_id=\xff"},
    "a quote": {"data": f"{GRANT_TYPE}%22%5c%0d%0aX:%20y"},
    "too many fields": {"data": "&".join(f"f{number}=1" for number in range(41))},
    "a long value": {"data": f"{GRANT_TYPE}{'x' * 2_049}"},
    "a long form": {"data": f"{GRANT_TYPE}{'x' * 16_384}"},
    "as much as is read": {"data": f"{GRANT_TYPE}{'x' * (65_536 - len(GRANT_TYPE))}"},
    "more than is read": {"data": f"{GRANT_TYPE}{'x' * (65_537 - len(GRANT_TYPE))}"},
    "broken JSON": {"data": "{"},
    "JSON of another shape": {"data": '{"url": 7, "psu": "", "more": null}'},
    "a member twice": {"data": '{"psu": "anna.weber", "psu": "anna.weber"}'},
    "no content type": {"content_type": None},
    "another content type": {"content_type": "text/plain"},
    "a form of parts": {"content_type": "multipart/form-data; boundary=x"},
    "capitals": {"content_type": "Application/X-WWW-Form-Urlencoded"},
    "a charset": {"content_type": f"{FORM} ; charset=latin-1"},
    "a coded body": {"headers": {"Content-Encoding": "gzip"}},
    "a body said to be plain": {"headers": {"Content-Encoding": "Identity"}},
    "an authorization": {"headers": {"Authorization": "Basic eDp5"}},
    "a proof that is none": {"headers": {"DPoP": "x"}},
    "two proofs": {"headers": {"DPoP": "x, y"}},
    "a page of another origin": {"headers": {"Origin": "https://evil.example", "Accept": "text/html"}},
    "a method in a header": {"headers": {"X-HTTP-Method-Override": "DELETE"}},
    "a query": {"query_string": "client_id=x"},
    "a strange certificate": {"headers": {"Client-Cert": ":x:"}},
    "a certificate that nobody vouches for": {"headers": {"X-Sandbox-Certificate": "none"}},
    "no request id": {"headers": {"X-Sandbox-Request": ""}},
    "another listener": {"headers": {"X-Sandbox-Listener": "front"}},
    "another caller": {"caller": "portal"},
    "GET": {"method": "GET"},
    "HEAD": {"method": "HEAD"},
    "OPTIONS": {"method": "OPTIONS"},
    "PUT": {"method": "PUT"},
}
SECRETS = {"access_token", "request_uri", "auth_req_id", "redirect"}


@pytest.mark.parametrize("path", RIGHT)
def test_both_ways_answer_alike(engine: Engine, path: str) -> None:
    """Whatever is odd about a request: in status, headers and body, but for what is given at random."""
    world = AuthorizationWorld(engine, backchannel_asks=2 * len(ODD))
    if path == "/bc-authorize":
        register_for_ciba(world)

    straight, by_flask = ({odd: told(posted(world, path, odd, straight=way)) for odd in ODD} for way in (True, False))

    assert straight["right"][0] in {200, 201}
    assert {odd: (straight[odd], by_flask[odd]) for odd in ODD if straight[odd] != by_flask[odd]} == {}


@pytest.mark.parametrize("path", ["/token/", "//token", "/Token", "/token;x", "/token%00", "/par/x"])
def test_an_address_that_is_none_is_none_on_both_ways(world: AuthorizationWorld, path: str) -> None:
    straight = posted(world, path, "right", straight=True, data=RIGHT["/token"])

    assert straight.status_code == 404
    assert told(straight) == told(posted(world, path, "right", straight=False, data=RIGHT["/token"]))


@pytest.mark.parametrize("raised", [OperationalError("", None, OSError("gone")), RuntimeError("a fault")])
def test_what_fails_on_our_side_fails_alike(
    world: AuthorizationWorld, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    """Once, too: what was tried is not tried again by Flask."""
    tried: list[str] = []

    def fail(*_: object) -> None:
        tried.append("")
        raise raised

    monkeypatch.setattr(SqlOAuthStore, "add_access_token", fail)

    straight = told(posted(world, "/token", "right", straight=True))

    assert len(tried) == 1
    assert straight == told(posted(world, "/token", "right", straight=False))


def posted(world: AuthorizationWorld, path: str, odd: str, *, straight: bool, **changes: Any) -> TestResponse:
    """Post what is right, but for what is odd; to the application behind the straight way, where that is not to be gone."""
    content_type = "application/json" if path == INTERACTIONS else FORM
    request = {"data": RIGHT.get(path), "content_type": content_type} | ODD[odd] | changes
    way = world.app.wsgi_app
    assert isinstance(way, StraightWay)
    with pytest.MonkeyPatch.context() as patched:
        if not straight:
            patched.setattr(way, "_endpoints", {})
        return world.edge(path, qwac(), **request)


def told(answer: TestResponse) -> tuple[int, dict[str, str], object]:
    headers = dict(answer.headers)
    if not answer.is_json or not answer.data:
        return answer.status_code, headers, answer.data
    document = answer.get_json()
    if secrets := SECRETS & document.keys():
        headers.pop("Content-Length")
    return answer.status_code, headers, {name: name in secrets or value for name, value in document.items()}


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
