"""Refusals and failures as they go over the wire: tppMessages for TPPs, problem details for internal callers."""

from __future__ import annotations

import pytest
from flask import Flask, request

from bank_backend.errors import AccessExceeded, FieldsInvalid, PathResourceUnknown
from bank_backend.problems import render_problems

REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
ERRORS = {
    "refusal": AccessExceeded("four a day", path="Consent-ID"),
    "fields": FieldsInvalid({"country": "is no country", "roles": "are missing"}),
    "unknown": PathResourceUnknown("no such transaction"),
    "failure": RuntimeError("SELECT secret FROM psus"),
}


def application() -> Flask:
    """Return an application that raises what its path names."""
    app = Flask("problems")
    app.config["MAX_CONTENT_LENGTH"] = 10
    render_problems(app)

    def fail(name: str) -> str:
        if name == "body":
            request.get_data()
        raise ERRORS[name]

    for prefix in ("v1", "internal"):
        app.add_url_rule(f"/{prefix}/<name>", endpoint=prefix, view_func=fail, methods=["GET", "POST"])
    return app


def test_a_tpp_is_answered_with_tpp_messages() -> None:
    """One message, with code, text and path, and the request's id (BG IG §14.11)."""
    answer = application().test_client().get("/v1/refusal", headers={"X-Request-ID": REQUEST_ID})

    assert answer.status_code == 429
    assert answer.content_type == "application/json"
    assert answer.headers["X-Request-ID"] == REQUEST_ID
    message = {"category": "ERROR", "code": "ACCESS_EXCEEDED", "text": "four a day", "path": "Consent-ID"}
    assert answer.json == {"tppMessages": [message]}


def test_an_internal_caller_is_answered_with_a_problem() -> None:
    """The dotted code, and the fields by name (RFC 9457)."""
    answer = application().test_client().get("/internal/fields")

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "request.fields"  # type: ignore[index]
    assert answer.json["fields"] == {"country": "is no country", "roles": "are missing"}  # type: ignore[index]


def test_the_place_decides_the_status() -> None:
    """A transaction in the path is 403, an account 404 (BG IG §14.11.1)."""
    assert application().test_client().get("/v1/unknown").status_code == 403


@pytest.mark.parametrize("prefix", ["v1", "internal"])
def test_a_failure_tells_nothing_of_its_cause(prefix: str) -> None:
    """The reason is in the log; the caller is told where to look."""
    answer = application().test_client().get(f"/{prefix}/failure")

    assert answer.status_code == 500
    assert b"SELECT" not in answer.data
    assert b"log" in answer.data


def test_a_body_that_is_too_large_is_refused() -> None:
    """413, in the form of the caller's side."""
    answer = application().test_client().post("/v1/body", data=b"x" * 11)

    assert answer.status_code == 413
    assert answer.json["tppMessages"][0]["code"] == "FORMAT_ERROR"  # type: ignore[index]


def test_an_address_that_does_not_exist_is_not_read_back_whole() -> None:
    """The path in the answer is text in JSON, never markup."""
    answer = application().test_client().get("/internal/x/<script>")

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
