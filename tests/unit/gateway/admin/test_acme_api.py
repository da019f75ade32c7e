"""How far certificates by ACME have come, over the control API."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chassis.sealing import KeyFile, Seal
from gateway.acme.store import SqlAcme
from gateway.kinds import KINDS
from psd2.clock import FixedClock
from tests.support.admin import admin_client
from tests.support.pki import DAY
from tests.support.stored_certificates import NOW, key_pem
from tests.unit.gateway.acme.test_documents import ACCOUNT, BINDING, CERTIFICATE, DIRECTORY, HMAC_KEY
from tests.unit.gateway.acme.test_keeper import issued

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine

NEW = {"If-None-Match": "*"}


@pytest.fixture
def kept(engine: Engine, tmp_path: Path) -> SqlAcme:
    return SqlAcme(engine, Seal(KeyFile(tmp_path / "key")))


@pytest.fixture
def api(engine: Engine, tmp_path: Path) -> FlaskClient:
    """Lend the API of a gateway that wants one certificate."""
    client = admin_client(engine, tmp_path, kinds=KINDS, clock=FixedClock(NOW))
    account = ACCOUNT | {"external_account": BINDING}
    assert client.put("/config/acme-accounts/public", json=account, headers=NEW).status_code == 201
    assert client.put("/config/acme-certificates/shop", json=CERTIFICATE, headers=NEW).status_code == 201
    return client


def told(api: FlaskClient) -> dict[str, Any]:
    (found,) = api.get("/acme").get_json()["certificates"]
    return dict(found)


def test_each_state_is_told(api: FlaskClient, kept: SqlAcme) -> None:
    """Not yet tried, under way, failed with the reason and the next try, and in force until it is renewed."""
    assert told(api)["state"] == "waiting"
    assert kept.is_leased("shop", until=NOW + DAY, now=NOW)
    assert told(api)["state"] == "ordering"
    failed = replace(kept.progress("shop"), failures=2, failure="no such name", next_try_at=NOW + DAY)
    kept.note(failed)
    found = told(api)
    assert (found["state"], found["failure"], found["failures"]) == ("failing", "no such name", 2)
    assert found["next_try_at"] == (NOW + DAY).isoformat()
    assert 'gateway_certificate_order_failures{name="shop"} 2.0' in api.get("/metrics").text
    made = issued()
    version = {"chain": made.pem, "key": key_pem(made), "stage": "current"}
    assert api.post("/config/certificates/shop/versions", json=version).status_code == 200
    kept.note(replace(failed, failures=0, failure=None, obtained_at=NOW, sha256=made.sha256))
    found = told(api)
    assert (found["state"], found["sha256"], found["directory"]) == ("in_force", made.sha256, DIRECTORY)
    assert found["renews_at"] == (NOW + 60 * DAY).replace(microsecond=0).isoformat()


def test_a_try_can_be_hastened_and_is_recorded(api: FlaskClient, kept: SqlAcme) -> None:
    """Tried without a trace with `dry_run`; what nobody wants is not there."""
    assert kept.is_leased("shop", until=NOW, now=NOW)
    kept.note(replace(kept.progress("shop"), failures=1, failure="no", next_try_at=NOW + timedelta(hours=6)))
    assert api.post("/acme/shop/try?dry_run=true").status_code == 202
    assert kept.progress("shop").next_try_at is not None
    assert api.post("/acme/shop/try").status_code == 202
    assert kept.progress("shop").next_try_at is None
    assert api.get("/audit").get_json()["records"][0]["action"] == "hastened"
    assert api.post("/acme/other/try").status_code == 404


def test_no_answer_holds_a_secret(api: FlaskClient) -> None:
    for path in ("/acme", "/config/acme-accounts/public", "/config/acme-accounts/public/history", "/audit"):
        assert HMAC_KEY not in api.get(path).text
