"""A TPP's OAuth client by the portal's pages: made with the TPP, changed later; keys that are changed without a gap."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tpps.errors import Fault
from sandbox.tpps.model import Profile
from tests.support.portal import PortalUnderTest
from tests.support.register import NUMBER
from tests.unit.sandbox.portal.test_tpp_pages import FORM, faults, text_of

if TYPE_CHECKING:
    from pathlib import Path

KEY = {"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ", "kid": "spring"}
SECOND = {**KEY, "kid": "summer"}
KEYS = json.dumps({"keys": [KEY]})
CIBA = "urn:openid:params:grant-type:ciba"
WHOLE: dict[str, Any] = {
    "profile": "fapi2-message-signing",
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": KEYS,
    "jwks_uri": "",
    "require_signed_request_object": "y",
    "authorization_signed_response_alg": "ES256",
    "introspection_signed_response_alg": "",
    "dpop_bound_access_tokens": "y",
    "grant_types": ["authorization_code", CIBA],
    "backchannel_token_delivery_mode": "ping",
    "backchannel_client_notification_endpoint": " https://acme.example/ping ",
}
REGISTERED = {
    "token_endpoint_auth_method": "private_key_jwt",
    "grant_types": ["authorization_code", CIBA],
    "jwks": {"keys": [KEY]},
    "require_signed_request_object": True,
    "authorization_signed_response_alg": "ES256",
    "dpop_bound_access_tokens": True,
    "backchannel_token_delivery_mode": "ping",
    "backchannel_client_notification_endpoint": "https://acme.example/ping",
}
PAGE = f"/tpps/{NUMBER}/client"


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as("anna@acme.example")
    return portal


@pytest.fixture
def client(portal: PortalUnderTest) -> PortalUnderTest:
    """Lend a portal with a TPP whose client is registered whole."""
    assert portal.post("/tpps/new", FORM | WHOLE).status_code == 303
    return portal


def test_a_client_is_registered_whole_with_its_tpp(client: PortalUnderTest) -> None:
    """By the names of the RFCs, and without what goes without saying."""
    tpp = client.world.register.require(NUMBER)

    assert (tpp.profile, tpp.client_metadata) == (Profile.FAPI2_MESSAGE_SIGNING, REGISTERED)
    assert "FAPI 2.0 Message Signing" in text_of(client.get(f"/tpps/{NUMBER}"))


def test_a_plain_client_says_nothing(portal: PortalUnderTest) -> None:
    """As before there was anything to say."""
    portal.post("/tpps/new", FORM)

    assert portal.world.register.require(NUMBER).client_metadata == {}


def test_the_page_shows_what_is_registered(client: PortalUnderTest) -> None:
    """Saved again as it is shown, nothing changes."""
    page = text_of(client.get(PAGE))
    calls = list(client.world.calls)

    assert "spring" in page
    assert re.search(r'<input checked[^>]+value="fapi2-message-signing"', page)
    assert client.post(PAGE, WHOLE).headers["Location"] == PAGE
    assert client.world.calls == calls


def test_a_key_is_changed_without_a_gap(client: PortalUnderTest) -> None:
    """The new one beside the old one, then alone; the gateway hears of it each time, and the client id stays."""
    before = client.world.register.require(NUMBER)
    for keys in ([SECOND, KEY], [SECOND]):
        client.world.calls.clear()
        client.post(PAGE, WHOLE | {"jwks": json.dumps({"keys": keys})})

        after = client.world.register.require(NUMBER)
        assert after.client_metadata["jwks"] == {"keys": keys}
        assert (after.client_id, client.world.calls[-1]) == (before.client_id, f"client {before.client_id}")


def test_what_the_form_has_no_field_for_stays(portal: PortalUnderTest) -> None:
    """Registered at a terminal, it is not lost by a change on the page."""
    portal.post("/tpps/new", FORM)
    store = portal.world.store
    store.tpps[NUMBER] = replace(store.tpps[NUMBER], client_metadata={"tls_client_auth_san_uri": "https://acme.example"})

    portal.post(PAGE, {"profile": "fapi2", "token_endpoint_auth_method": "tls_client_auth", "grant_types": FORM["grant_types"]})

    assert portal.world.register.require(NUMBER).client_metadata == {"tls_client_auth_san_uri": "https://acme.example"}


def test_the_name_of_the_certificate_is_registered_and_taken_back(portal: PortalUnderTest) -> None:
    """RFC 8705 §2.1.2: one of the names of the QWAC; without one its authorisation number counts."""
    named = {"tls_client_auth_san_dns": " acme.tpp.example "}
    portal.post("/tpps/new", FORM | named)
    assert portal.world.register.require(NUMBER).client_metadata == {"tls_client_auth_san_dns": "acme.tpp.example"}
    assert 'value="acme.tpp.example"' in text_of(portal.get(PAGE))

    said = {"profile": "berlin", "token_endpoint_auth_method": "tls_client_auth", "grant_types": FORM["grant_types"]}
    portal.post(PAGE, said | {"tls_client_auth_subject_dn": "CN=acme"})

    assert portal.world.register.require(NUMBER).client_metadata == {"tls_client_auth_subject_dn": "CN=acme"}


@pytest.mark.parametrize("path", [PAGE, "/tpps/new"])
def test_a_client_that_would_get_no_further_is_refused(client: PortalUnderTest, path: str) -> None:
    """Bound to its own certificate, its tokens open nothing; the page says what to tick, and how to make that certificate."""
    calls = list(client.world.calls)
    bound = {name: value for name, value in WHOLE.items() if name != "dpop_bound_access_tokens"}

    page = text_of(client.post(path, FORM | bound | {"token_endpoint_auth_method": "self_signed_tls_client_auth"}))

    assert list(faults(page)) == ["dpop_bound_access_tokens"]
    assert "openssl req -x509" in unescape(page)
    assert client.world.calls == calls


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("profile", "none", "Choose a profile"),
        ("grant_types", [], "at least one grant type"),
        ("jwks", "x", "That is not JSON"),
        ("jwks", "[]", "Paste a JWK Set"),
        ("jwks", '{"keys": []}', "one key at least"),
        ("jwks", '{"keys": ["x"]}', "one key at least"),
        ("jwks", "-----BEGIN PUBLIC KEY-----\nAA==", "That is PEM"),
    ],
)
def test_a_fault_stands_at_its_field(client: PortalUnderTest, field: str, value: Any, said: str) -> None:
    """What was typed is kept, and nobody is told of it."""
    calls = list(client.world.calls)

    answer = client.post(PAGE, WHOLE | {field: value})

    found = faults(text_of(answer))
    assert answer.status_code == 422
    assert list(found) == [field]
    assert said in found[field]
    assert " https://acme.example/ping " in text_of(answer)
    assert client.world.calls == calls


@pytest.mark.parametrize("path", [PAGE, "/tpps/new"])
@pytest.mark.parametrize("pasted", [json.dumps({"keys": [KEY | {"d": "c2VjcmV0"}]}), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0"])
def test_a_private_key_is_refused_and_not_shown_again(client: PortalUnderTest, path: str, pasted: str) -> None:
    """Nor handed on to anybody."""
    calls = list(client.world.calls)

    page = text_of(client.post(path, FORM | WHOLE | {"jwks": pasted}))

    assert "private key" in faults(page)["jwks"]
    assert "c2VjcmV0" not in unescape(page)
    assert client.world.calls == calls


def test_what_the_gateway_does_not_take_stands_at_its_field(client: PortalUnderTest) -> None:
    """In its words; a member that the form does not show is named by the profile, and nothing is changed."""
    client.world.gateway.client_faults = (
        Fault("jwks", "or jwks_uri is missing: its request objects are signed by the client's keys"),
        Fault("jwks.keys.0.x", "must be base64url"),
        Fault("jwks.keys", "must hold the client's certificate"),
        Fault("grant_types[1]", "is none of ours"),
        Fault("tls_client_auth_san_ip", "must be an IPv4 or IPv6 address"),
    )

    answer = client.post(PAGE, WHOLE | {"profile": "fapi2"})

    found = faults(text_of(answer))
    assert answer.status_code == 422
    assert "This or jwks_uri is missing" in found["jwks"]
    assert "Keys.0.x: must be base64url." in found["jwks"]
    assert "Must hold the client" in found["jwks"]
    assert found["grant_types"] == "1: is none of ours."
    assert found["profile"].startswith("Tls_client_auth_san_ip: must be")
    assert client.world.register.require(NUMBER).profile is Profile.FAPI2_MESSAGE_SIGNING


def test_a_registration_with_a_client_that_is_refused_leaves_nothing(portal: PortalUnderTest) -> None:
    """The part of the form that it stands in is open, and the same number comes through once it is right."""
    portal.world.gateway.client_faults = (Fault("jwks_uri", "must be an absolute https address"),)

    answer = portal.post("/tpps/new", FORM | {"jwks_uri": "http://acme.example/jwks"})

    assert (answer.status_code, list(faults(text_of(answer)))) == (422, ["jwks_uri"])
    assert re.search(r'<details[^>]+id="client-details" open>', text_of(answer))
    assert NUMBER not in portal.world.store.tpps
    portal.world.gateway.client_faults = ()
    assert portal.post("/tpps/new", FORM).status_code == 303


def test_a_gateway_out_of_reach_is_said_and_nothing_lost(client: PortalUnderTest) -> None:
    """503, with the form as it was."""
    client.world.gateway.is_down = True

    answer = client.post(PAGE, WHOLE | {"jwks": json.dumps(SECOND)})

    assert answer.status_code == 503
    assert "summer" in text_of(answer)
    assert client.world.register.require(NUMBER).client_metadata == REGISTERED


def test_programs_are_told_what_is_registered(client: PortalUnderTest) -> None:
    """By the names of the RFCs, beside who the TPP is; no token, and nothing private."""
    answer = client.get(f"{PAGE}/client.json")

    told = json.loads(answer.get_data())
    assert {name: told[name] for name in REGISTERED} == REGISTERED
    assert (told["profile"], told["authorisation_number"]) == ("fapi2-message-signing", NUMBER)
    assert (told["cafile"], "registration_access_token" in told) == ("../../trust.pem", False)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/client.json"])
def test_nobody_elses_client(client: PortalUnderTest, path: str) -> None:
    """Not seen either."""
    other = client.browser()
    client.sign_in_as("bob@globex.example", browser=other)

    assert client.get(path, browser=other).status_code == 404
    assert client.get(path, browser=client.browser()).status_code == 303  # to sign in


def test_nobody_changes_somebody_elses_client(client: PortalUnderTest) -> None:
    """As if there were none."""
    other = client.browser()
    client.sign_in_as("bob@globex.example", browser=other)

    assert client.post(PAGE, WHOLE | {"profile": "fapi2"}, browser=other).status_code == 404
    assert client.world.register.require(NUMBER).profile is Profile.FAPI2_MESSAGE_SIGNING
