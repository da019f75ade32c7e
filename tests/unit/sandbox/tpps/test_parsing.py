"""A registration is read whole or refused, naming every field that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from psd2.roles import PspRole
from sandbox.tpps.errors import RegistrationRefused
from sandbox.tpps.parsing import parse_registration
from tests.support.register import REGISTRATION


def test_a_registration_is_read() -> None:
    """Roles may be named by licence; the seed is optional."""
    request = parse_registration({**REGISTRATION, "seed": 7})

    assert str(request.authorisation_number) == "PSDDE-BAFIN-100001"
    assert request.roles == {PspRole.AI, PspRole.PI}
    assert request.redirect_uris == ("https://acme.example/callback",)
    assert request.seed == 7


def test_the_organisation_is_the_name_where_none_is_given() -> None:
    """A quick start needs no firm."""
    document = {name: value for name, value in REGISTRATION.items() if name != "organisation"}

    assert parse_registration(document).organisation == "acme"


@pytest.mark.parametrize(
    "uri",
    [
        "https://tpp.example/callback?tenant=1",
        "https://localhost:8446/callback",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9000/cb",
    ],
)
def test_redirect_uris_that_are_taken(uri: str) -> None:
    """Everything on https, and http on the loopback (RFC 8252 §7.3)."""
    assert parse_registration({**REGISTRATION, "redirect_uris": [uri]}).redirect_uris == (uri,)


@pytest.mark.parametrize(
    ("uri", "complaint"),
    [
        ("http://tpp.example/cb", "use https"),
        ("http://127.0.0.1.evil.example/cb", "use https"),
        ("https://tpp.example/cb#part", "fragment"),
        ("https://tpp.example/cb#", "fragment"),
        ("https://user@tpp.example/cb", "user name"),
        ("https:///cb", "absolute URI"),
        ("/cb", "absolute URI"),
        ("javascript:alert(1)", "absolute URI"),
        ("custom://tpp/cb", "use https"),
        ("https://*.tpp.example/cb", "wildcard"),
        ("https://tpp.example/ cb", "ASCII"),
        ("https://tpp.example/\r\nX: y", "ASCII"),
        ("https://tpp.example\\@evil.example/cb", "ASCII"),
        ("https://tpp.example:99999/cb", "Port"),
        ("https://tpp.example/" + "a" * 2000, "ASCII"),
    ],
)
def test_redirect_uris_that_are_refused(uri: str, complaint: str) -> None:
    """A browser must not carry an authorization code there."""
    with pytest.raises(RegistrationRefused) as refusal:
        parse_registration({**REGISTRATION, "redirect_uris": [uri]})

    assert refusal.value.faults[0].field == "redirect_uris.0"
    assert complaint in refusal.value.faults[0].text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Acme"),
        ("name", "../acme"),
        ("name", "-acme"),
        ("name", "a" * 41),
        ("name", ""),
        ("name", 3),
        ("organisation", ""),
        ("organisation", "Acme\nGmbH"),
        ("organisation", "a" * 65),
        ("authorisation_number", "DE-BAFIN-1"),
        ("authorisation_number", "PSDDE-NOBODY-1"),
        ("authorisation_number", "PSDDE-BAFIN-1/2"),
        ("authorisation_number", "PSDDE-BAFIN-UNREGISTERED"),
        ("authorisation_number", None),
        ("roles", []),
        ("roles", ["KING"]),
        ("roles", [1]),
        ("redirect_uris", []),
        ("redirect_uris", [f"https://tpp.example/{number}" for number in range(11)]),
        ("redirect_uris", "https://tpp.example/cb"),
        ("profile", "fapi1"),
        ("seed", -1),
        ("seed", "1"),
        ("colour", "blue"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    """One field wrong, one fault."""
    with pytest.raises(RegistrationRefused) as refusal:
        parse_registration({**REGISTRATION, field: value})

    assert [fault.field.split(".")[0] for fault in refusal.value.faults] == [field]


def test_all_wrong_fields_are_named_at_once() -> None:
    """Nobody has to correct one after the other."""
    with pytest.raises(RegistrationRefused) as refusal:
        parse_registration({})

    assert {fault.field for fault in refusal.value.faults} == {"name", "authorisation_number", "roles", "redirect_uris"}
