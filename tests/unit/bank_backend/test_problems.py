"""Refusals and failures as they go over the wire: tppMessages for TPPs, problem details for internal callers."""

from __future__ import annotations

import pytest
from flask import Flask, request

from bank_backend.errors import AccessExceeded, BankError, FieldsInvalid, FormatError, PathResourceUnknown
from bank_backend.grounds import FAILED, GROUNDS
from bank_backend.problems import render_problems
from chassis.told.refusals import HEADER, read_refusal_header
from psd2.tpp_messages import MessageCode

REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
ERRORS = {
    "refusal": AccessExceeded("four a day", path="Consent-ID"),
    "fields": FieldsInvalid({"country": "is no country", "roles": "are missing"}),
    "unknown": PathResourceUnknown("no such transaction"),
    "several": FormatError.of([FormatError("one", path="a"), FormatError("two", path="b")]),
    "failure": RuntimeError("SELECT secret FROM psus"),
}


def on_ground(reason: str) -> Exception:
    """Return what the bank raises on a ground, with a field at fault."""
    if reason == FAILED:
        return ERRORS["failure"]

    class Refused(BankError):
        code = MessageCode.FORMAT_ERROR
        problem_code = reason
        title = "No"

    return Refused("what is wrong", path="creditorAccount.iban")


def application(*, sandbox_mode: bool = False) -> Flask:
    """Return an application that raises what its path names."""
    app = Flask("problems")
    app.config["MAX_CONTENT_LENGTH"] = 10
    render_problems(app, sandbox_mode=sandbox_mode)

    def fail(name: str) -> str:
        if name == "body":
            request.get_data()
        raise ERRORS[name] if name in ERRORS else on_ground(name)

    for prefix in ("v1", "v2", "internal"):
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


def test_several_wrong_fields_are_several_messages() -> None:
    """One for each, in the order found; internal callers get the same as `errors`."""
    tpp = application().test_client().get("/v1/several").json
    internal = application().test_client().get("/internal/several").json

    assert [(each["code"], each["path"]) for each in tpp["tppMessages"]] == [("FORMAT_ERROR", "a"), ("FORMAT_ERROR", "b")]  # type: ignore[index]
    assert internal["errors"] == [{"path": "a", "detail": "one"}, {"path": "b", "detail": "two"}]  # type: ignore[index]


@pytest.mark.parametrize("reason", GROUNDS)
def test_in_sandbox_mode_every_refusal_says_why_and_what_helps(reason: str) -> None:
    """Beside what the standard has, which stays as it is; the reason is the one that the request log is told."""
    ground = GROUNDS[reason]
    helpful = {"reason": reason, "hint": ground.hint, "clause": ground.clause}
    for path in (f"/v1/{reason}", f"/v2/{reason}", f"/internal/{reason}"):
        plain = application().test_client().get(path)
        answer = application(sandbox_mode=True).test_client().get(path)

        assert not helpful.keys() & plain.json.keys()  # type: ignore[union-attr]
        assert answer.json == plain.json | helpful  # type: ignore[operator]
        assert answer.status_code == plain.status_code
        assert reason == FAILED or "creditorAccount.iban" in answer.text
        for told in (plain, answer):
            assert read_refusal_header(told.headers[HEADER].encode()).reason == reason


@pytest.mark.parametrize(("path", "reason"), [("/v1/a/b", "resource.unknown"), ("/v1/body", "request.format")])
def test_what_flask_itself_refuses_says_why_too(path: str, reason: str) -> None:
    """No such address; a body that is too large."""
    answer = application(sandbox_mode=True).test_client().post(path, data=b"x" * 11)

    assert answer.json["reason"] == reason  # type: ignore[index]
    assert answer.json["hint"] == GROUNDS[reason].hint  # type: ignore[index]


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


def test_the_problem_document_names_the_status_of_its_answer() -> None:
    """RFC 9457 §3.1.2: 413 outside and inside."""
    answer = application().test_client().post("/internal/body", data=b"x" * 11)

    assert (answer.status_code, answer.json["status"]) == (413, 413)  # type: ignore[index]


def test_an_address_that_does_not_exist_is_not_read_back_whole() -> None:
    """The path in the answer is text in JSON, never markup."""
    answer = application().test_client().get("/internal/x/<script>")

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
