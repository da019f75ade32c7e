"""The control API's description of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.admin.openapi import openapi_document
from gateway.kinds import KINDS
from tests.support.admin import admin_client
from tests.support.configured import KINDS as SHOP_KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


@pytest.fixture
def document(engine: Engine, tmp_path: Path) -> dict[str, Any]:
    told: dict[str, Any] = admin_client(engine, tmp_path, kinds=SHOP_KINDS).get("/openapi.json").get_json()
    return told


@pytest.mark.parametrize("kinds", [KINDS, SHOP_KINDS], ids=["the gateway's", "the tests'"])
def test_the_description_is_valid(engine: Engine, tmp_path: Path, kinds: Any) -> None:
    """By the specification's own schema, every reference resolved."""
    told = admin_client(engine, tmp_path, kinds=kinds).get("/openapi.json").get_json()

    OpenAPIV31SpecValidator(told).validate()
    assert {f"/config/{kind.name}/{{name}}" for kind in kinds} <= set(told["paths"])


def test_a_document_is_described_by_its_kind(document: dict[str, Any]) -> None:
    """With the conditions and the dry run of every change."""
    put = document["paths"]["/config/shops/{name}"]["put"]

    assert put["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/shops"}
    keys = document["components"]["schemas"]["shops"]["properties"]["keys"]
    assert keys["items"] == {"$ref": "#/components/schemas/shops.KeyBody"}
    assert [each["name"] for each in put["parameters"]] == ["name", "dry_run", "If-Match", "If-None-Match"]
    assert set(put["responses"]) == {"200", "201", "default"}


def test_every_route_is_described(document: dict[str, Any], engine: Engine, tmp_path: Path) -> None:
    """Method by method."""
    app = admin_client(engine, tmp_path, kinds=SHOP_KINDS).application
    routes = {rule.rule.replace("<kind>", "plans").replace("<", "{").replace(">", "}") for rule in app.url_map.iter_rules()}

    assert routes <= set(document["paths"])
    assert set(document["paths"]["/config/plans/{name}"]) == {"get", "put", "delete"}


def test_a_handler_that_says_nothing_of_itself_is_found() -> None:
    """By its name."""
    app = Flask("bare", static_folder=None)
    app.add_url_rule("/x", "x", lambda: "")

    with pytest.raises(LookupError, match="lambda"):
        openapi_document(app, SHOP_KINDS)
