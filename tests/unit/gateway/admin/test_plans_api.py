"""Subscribers' tokens and blocked addresses over the control API."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gateway.changes.kinds import ChangeKind
from gateway.changes.store import keys_since, tell
from gateway.kinds import KINDS
from gateway.limits.announcements import announced
from psd2.clock import FixedClock
from tests.support.admin import admin_client

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACME = "/config/subscribers/acme"
NEW = {"If-None-Match": "*"}


@pytest.fixture
def api(engine: Engine, tmp_path: Path) -> FlaskClient:
    """Lend the control API, with a subscriber that has no token yet."""
    client = admin_client(engine, tmp_path, kinds=KINDS, clock=FixedClock(NOON))
    plan = {"entitlements": [{"deployments": ["*"], "rate": {"per_second": 5}}]}
    assert client.put("/config/plans/gold", json=plan, headers=NEW).status_code == 201
    assert client.put(ACME, json={"plans": ["gold"]}, headers=NEW).status_code == 201
    return client


def test_a_token_is_shown_once_and_stored_as_its_hash(api: FlaskClient) -> None:
    """Neither document, nor history, nor the administrators' audit has it."""
    made = api.post(f"{ACME}/tokens", json={"id": "2027-a", "expires": "2027-12-31T00:00:00Z"})

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    token = made.get_json()["token"]
    stored = {"id": "2027-a", "sha256": hashlib.sha256(token.encode()).hexdigest(), "expires": "2027-12-31T00:00:00Z"}
    assert api.get(ACME).get_json()["document"]["tokens"] == [stored]
    assert made.headers["ETag"] == api.get(ACME).headers["ETag"]
    for path in (ACME, f"{ACME}/history", "/audit"):
        assert token not in api.get(path).text
    assert len(token) == 52
    assert token == token.lower()


def test_a_new_token_stands_beside_the_old_until_that_is_removed(api: FlaskClient) -> None:
    """A change of tokens makes no gap."""
    tokens = {api.post(f"{ACME}/tokens", json={"id": name}).get_json()["token"] for name in ("a", "b")}
    assert len(tokens) == 2
    assert [entry["id"] for entry in api.get(ACME).get_json()["document"]["tokens"]] == ["a", "b"]
    assert api.delete(f"{ACME}/tokens/a").status_code == 204
    assert [entry["id"] for entry in api.get(ACME).get_json()["document"]["tokens"]] == ["b"]
    assert api.delete(f"{ACME}/tokens/a").status_code == 404


def test_a_token_that_cannot_be_is_refused(api: FlaskClient) -> None:
    """An id that is taken, a time that is none, a subscriber that is not there."""
    api.post(f"{ACME}/tokens", json={"id": "a"})
    assert api.post(f"{ACME}/tokens", json={"id": "a"}).get_json()["errors"][0]["field"] == "tokens"
    late = api.post(f"{ACME}/tokens", json={"id": "b", "expires": "soon"})
    assert (late.status_code, late.get_json()["errors"][0]["field"]) == (422, "tokens[1].expires")
    assert api.post(f"{ACME}/tokens", json={"id": "b c"}).status_code == 422
    assert api.post("/config/subscribers/nobody/tokens", json={"id": "a"}).status_code == 404


def test_a_plan_in_use_stays(api: FlaskClient) -> None:
    """Its subscriber would be left without."""
    assert api.delete("/config/plans/gold", headers={"If-Match": "*"}).status_code == 409


def test_blocked_addresses_are_listed_and_let_in_again(api: FlaskClient, engine: Engine) -> None:
    """Every worker hears of it by the feed, and the administrators' audit tells who did it."""
    for address, seconds in (("192.0.2.1", 40), ("2001:db8::/64", 30), ("192.0.2.2", -1)):
        tell(engine, ChangeKind.BLOCKED_ADDRESS, announced(address, NOON.timestamp() + seconds), NOON)

    listed = api.get("/blocked-addresses").get_json()["blocked"]
    assert listed == [
        {"address": "192.0.2.1", "until": "2026-11-22T12:00:40+00:00"},
        {"address": "2001:db8::/64", "until": "2026-11-22T12:00:30+00:00"},
    ]
    assert api.delete("/blocked-addresses?address=2001:db8::/64").status_code == 204
    assert [entry["address"] for entry in api.get("/blocked-addresses").get_json()["blocked"]] == ["192.0.2.1"]
    assert keys_since(engine, ChangeKind.BLOCKED_ADDRESS, NOON)[-1] == "0 2001:db8::/64"
    assert api.delete("/blocked-addresses?address=2001:db8::/64").status_code == 404
    assert "2001:db8::/64" in api.get("/audit").text
