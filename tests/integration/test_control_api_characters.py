"""Characters that a database can't hold, at every resource of the control API, on both engines: no fault, a clear answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from gateway.kinds import KINDS
from tests.support.admin import admin_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

    from tests.support.databases import Databases

TPP = {"name": "Acme", "country": "DE", "nca_id": "DE-BAFIN", "nca_name": "BaFin", "roles": ["PSP_AI"]}


@pytest.fixture
def api(databases: Databases, tmp_path: Path) -> Iterator[FlaskClient]:
    with databases.opened("gateway") as engine:
        yield admin_client(engine, tmp_path, kinds=KINDS)


def test_a_nul_in_a_path_names_nothing(api: FlaskClient) -> None:
    """Whatever the resource and the method."""
    rules = [rule for rule in api.application.url_map.iter_rules() if rule.arguments]
    assert len(rules) > 10
    with capture_logs() as told:
        for rule in rules:
            path = re.sub(r"<[^>]+>", "a%00b", rule.rule)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                answer = api.open(path, method=method, json={}, headers={"If-Match": "*"})
                assert (answer.status_code, answer.mimetype) == (404, "application/problem+json"), (method, path)
    assert told == []


def test_a_nul_in_a_query_or_a_body_is_named(api: FlaskClient) -> None:
    """Escaped as JSON escapes it; six ordinary characters that look like it are none."""
    number = "/tpps/PSDDE-BAFIN-100001"
    for answer in (
        api.get("/requests?tpp=a%00b"),
        api.get("/config/plans?after=%00"),
        api.put(number, json=TPP | {"name": "Ac\0me"}),
        api.put("/config/subscribers/acme", json={"plans": ["a\0"]}, headers={"If-None-Match": "*"}),
    ):
        assert (answer.status_code, "NUL" in answer.get_json()["detail"]) == (400, True)
    assert api.put(number, json=TPP | {"name": "Ac\\u0000me"}).get_json()["name"] == "Ac\\u0000me"
