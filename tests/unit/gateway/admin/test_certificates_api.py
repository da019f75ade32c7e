"""The gateway's own certificates over the control API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.kinds import KINDS
from psd2.clock import FixedClock
from tests.support.admin import admin_client
from tests.support.stored_certificates import ISSUING, NOW, key_pem

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from tests.support.pki import Issued

SHOP = "/config/certificates/shop"


@pytest.fixture
def api(engine: Engine, tmp_path: Path) -> FlaskClient:
    return admin_client(engine, tmp_path, kinds=KINDS, clock=FixedClock(NOW))


def sent(issued: Issued, stage: str) -> dict[str, str]:
    return {"chain": issued.pem, "key": key_pem(issued), "stage": stage}


def stages(api: FlaskClient) -> dict[str, str]:
    (listed,) = api.get("/certificates").get_json()["certificates"]
    return {each["stage"]: each["sha256"] for each in listed["versions"]}


def test_a_certificate_is_rotated_and_rolled_back(api: FlaskClient) -> None:
    """By its SHA-256; no answer holds a key."""
    first, second = ISSUING.server("shop.example"), ISSUING.server("shop.example")
    assert api.post(f"{SHOP}/versions", json=sent(first, "current")).status_code == 200
    assert api.post(f"{SHOP}/versions", json=sent(second, "pending")).status_code == 200
    assert api.post(f"{SHOP}/current", json={"sha256": second.sha256}).status_code == 200
    assert stages(api) == {"current": second.sha256, "previous": first.sha256}
    assert api.post(f"{SHOP}/current", json={"sha256": first.sha256}).status_code == 200
    assert stages(api) == {"current": first.sha256, "previous": second.sha256}
    for path in (SHOP, f"{SHOP}/history", "/audit", "/certificates"):
        assert "PRIVATE KEY" not in api.get(path).text


def test_a_version_can_be_tried(api: FlaskClient) -> None:
    """It leaves nothing."""
    assert api.post(f"{SHOP}/versions?dry_run=true", json=sent(ISSUING.server("shop.example"), "current")).status_code == 200
    assert api.get("/certificates").get_json() == {"certificates": []}


def test_what_can_not_be_is_refused(api: FlaskClient) -> None:
    """Another's key, a stage that nothing begins with, what is not there."""
    first = sent(ISSUING.server("shop.example"), "current")
    wrong = api.post(f"{SHOP}/versions", json=first | {"key": key_pem(ISSUING.server("a.example"))})
    assert (wrong.status_code, wrong.get_json()["errors"][0]["field"]) == (422, "versions[0].key")
    assert api.post(f"{SHOP}/versions", json=first | {"stage": "previous"}).status_code == 400
    assert api.post(f"{SHOP}/current", json={"sha256": "0" * 64}).status_code == 404
