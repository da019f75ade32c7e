"""Software statements (RFC 7591 §2.3): believed of a trusted directory, about the TPP of the certificate, while in force."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.registration.statements import UnreadableDirectories, read_directories
from tests.support.authorization import NUMBER, OTHER_NUMBER, START, AuthorizationWorld, qwac
from tests.support.jose import es256, jwks, ps256

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine
    from werkzeug.test import TestResponse

DIRECTORY, SECOND = "https://directory.example", "https://second.example"
NOW = int(START.timestamp())


@pytest.fixture
def trusting(engine: Engine, tmp_path: Path) -> AuthorizationWorld:
    """Start a server that trusts two directories, each with a key of its own."""
    path = tmp_path / "directories.json"
    path.write_text(json.dumps({DIRECTORY: json.loads(jwks(es256("first"))), SECOND: json.loads(jwks(ps256("second")))}))
    return AuthorizationWorld(engine, software_directories=path)


def statement(**claims: Any) -> dict[str, Any]:
    said = {
        "iss": DIRECTORY,
        "iat": NOW,
        "org_id": NUMBER,
        "client_name": "Certified",
        "redirect_uris": ["https://certified.example/cb"],
    } | claims
    return {name: value for name, value in said.items() if value != ...}


def register(world: AuthorizationWorld, signed: object, **metadata: Any) -> TestResponse:
    return world.edge("/register", qwac(), json={"software_statement": signed} | metadata)


def test_what_a_statement_says_goes_before_what_the_client_says(trusting: AuthorizationWorld) -> None:
    answer = register(trusting, es256("first").sign(statement()), client_name="Own", redirect_uris=["https://own.example/cb"])
    document = answer.get_json()
    assert answer.status_code == 201, answer.text
    assert (document["client_name"], document["redirect_uris"]) == ("Certified", ["https://certified.example/cb"])
    kept = trusting.register.client(document["client_id"])
    assert kept is not None
    assert kept.software_statement_issuer == DIRECTORY


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"org_id": OTHER_NUMBER}, "statement.other_tpp"),
        ({"org_id": ...}, "jose.claim.org_id"),
        ({"iat": NOW + 60}, "statement.time"),
        ({"iat": ...}, "jose.claim.iat"),
        ({"exp": NOW}, "statement.time"),
    ],
)
def test_a_statement_that_does_not_hold_is_refused(trusting: AuthorizationWorld, claims: dict[str, Any], reason: str) -> None:
    """Wrong in one way each."""
    answer = register(trusting, es256("first").sign(statement(**claims)))
    body = answer.get_json()
    assert (answer.status_code, body["error"], body["reason"]) == (400, "invalid_software_statement", reason)


def test_a_directory_speaks_for_itself_alone(trusting: AuthorizationWorld) -> None:
    """One trusted directory's key signs nothing in the name of another."""
    answer = register(trusting, ps256("second").sign(statement(iss=DIRECTORY)))
    assert answer.get_json()["error"] in {"unapproved_software_statement", "invalid_software_statement"}
    assert register(trusting, ps256("second").sign(statement(iss=SECOND))).status_code == 201


@pytest.mark.parametrize("kind", ["stranger", "unsigned", "number"])
def test_what_no_trusted_directory_has_signed_is_refused(trusting: AuthorizationWorld, kind: str) -> None:
    unsigned = es256("first").sign(statement(), alg="none").rpartition(".")[0] + "."
    signed = {"stranger": es256("stranger").sign(statement()), "unsigned": unsigned, "number": 7}[kind]
    answer = register(trusting, signed)
    assert answer.status_code == 400
    assert [each for each in trusting.register.clients_of(NUMBER) if each.software_statement_issuer] == []


def test_without_directories_no_statement_is_taken(world: AuthorizationWorld) -> None:
    assert register(world, es256("first").sign(statement())).get_json()["error"] == "unapproved_software_statement"


def test_a_file_that_can_not_be_read_stops_the_start_by_its_setting(tmp_path: Path) -> None:
    path = tmp_path / "directories.json"
    for text in ("", "[]", '{"https://d.example": {"keys": []}}'):
        path.write_text(text)
        with pytest.raises(UnreadableDirectories, match=r"GATEWAY_SOFTWARE_DIRECTORIES: directories\.json"):
            read_directories(path)
    with pytest.raises(UnreadableDirectories):
        read_directories(tmp_path / "nowhere.json")
