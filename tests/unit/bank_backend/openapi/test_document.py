"""Our OpenAPI document: valid, whole, and where developers find it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from bank_backend.openapi.declarations import Operation, operation
from bank_backend.openapi.document import routes
from bank_backend.openapi.shapes.base import Shape
from tests.support.bank_sca import GATEWAY, BankDesk, Tpp
from tests.support.judged_answers import judged_answers
from tests.support.own_document import SERVER, own_document


def test_the_document_is_valid(desk: BankDesk) -> None:
    """OpenAPI 3.1, by the validator of the openapi-spec-validator project."""
    assert [each.message for each in OpenAPIV31SpecValidator(own_document(desk.app).document).iter_errors()] == []


def test_every_route_is_declared(desk: BankDesk) -> None:
    """A route that says nothing about itself would be missing where developers look."""
    assert [route for route in routes(desk.app) if route.declared is None] == []


def test_every_declared_route_is_in_the_document(desk: BankDesk) -> None:
    paths = own_document(desk.app).document["paths"]
    declared = {(route.path, route.method.lower()) for route in routes(desk.app) if isinstance(route.declared, Operation)}
    assert {(path, method) for path, item in paths.items() for method in item} == declared


def test_operations_have_names_of_their_own(desk: BankDesk) -> None:
    """Generated clients call methods by them."""
    names = [each["operationId"] for item in own_document(desk.app).document["paths"].values() for each in item.values()]
    assert len(names) == len(set(names))


def test_a_tpp_reads_the_document_beside_the_resources(desk: BankDesk) -> None:
    answer = desk.tpp.get("/v1/openapi.json")
    assert answer.json == own_document(desk.app).document
    assert answer.json["servers"][0]["url"] == SERVER


def test_anybody_reads_it_without_a_certificate(desk: BankDesk) -> None:
    """Where pages are, from whatever origin, and again only when it has changed."""
    headers = {"X-Sandbox-Listener": "front"}
    client = desk.app.test_client()
    answer = client.get("/openapi.json", headers=headers, environ_overrides=GATEWAY)
    again = client.get("/openapi.json", headers=headers | {"If-None-Match": answer.headers["ETag"]}, environ_overrides=GATEWAY)

    assert answer.json == own_document(desk.app).document
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert (again.status_code, again.data) == (304, b"")


def test_the_open_one_is_at_the_browsers_listener_only(desk: BankDesk) -> None:
    assert Tpp(desk.app.test_client()).get("/openapi.json").status_code == 403


class Colour(Shape):
    """What a fake answers."""

    colour_name: str


@pytest.mark.parametrize(
    ("body", "status", "fault"),
    [
        ({"colourName": "blue"}, 200, None),
        ({"colourName": 7}, 200, '$.colourName: 7 is not of type "string"'),
        ({"colourName": "blue", "shade": 1}, 200, "$: Additional properties are not allowed ('shade' was unexpected)"),
        ({}, 200, '$: "colourName" is a required property'),
        ({"colourName": "blue"}, 202, "202 is no status of it"),
    ],
)
def test_an_answer_that_departs_from_it_is_found_out(body: Any, status: int, fault: str | None) -> None:
    app = Flask("bank_backend")

    @app.get("/sandbox/v1/colour")
    @operation("Tell the colour", answers={200: Colour})
    def colour() -> tuple[Any, int]:
        return body, status

    with judged_answers(None) as wrong:
        app.test_client().get("/sandbox/v1/colour")

    expected = [] if fault is None else [f"our own document: GET /sandbox/v1/colour {status} {fault}"]
    assert wrong == expected


def test_an_optional_member_is_there_or_not_but_never_null(desk: BankDesk) -> None:
    """A client that generates types from it has one case less."""
    schema = own_document(desk.app).document["components"]["schemas"]["Account"]
    assert schema["properties"]["name"] == {"maxLength": 70, "type": "string"}
    assert "name" not in schema["required"]
