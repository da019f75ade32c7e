"""Signed authorization requests: what counts is what was signed, for us, by this client, now (RFC 9101, FAPI 2.0 MS §5.3)."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.jose.client_keys import ClientKeys
from gateway.oauth.jose.request_object import RequestObjects, SignedKind
from gateway.oauth.parameters import Parameters
from gateway.oauth.refusals import OAuthRefused, Refusal
from gateway.register.model import ClientProfile, SigningAlg
from psd2.clock import FixedClock
from tests.support.authorization import CLIENT, ISSUER, START, client
from tests.support.jose import es256, ps256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.register.model import Client

TYP = "oauth-authz-req+jwt"
NOW = int(START.timestamp())
KNOWN = frozenset(
    {"response_type", "client_id", "redirect_uri", "scope", "state", "request", "request_uri", "authorization_details"}
)
ASKED: Mapping[str, Any] = {
    "response_type": "code",
    "redirect_uri": "https://tpp.example/callback",
    "scope": "AIS:1",
    "state": "s",
}
MINUTE = 60


def signing_client(**changes: object) -> Client:
    registered = {"profile": ClientProfile.FAPI2_MESSAGE_SIGNING, "jwks": {"keys": [es256().jwk, ps256().jwk]}}
    return client(**(registered | changes))


def claims(**changes: object) -> dict[str, object]:
    """Return what a right request object says; a change of None leaves a claim out."""
    right = {"iss": CLIENT, "aud": ISSUER, "client_id": CLIENT, "nbf": NOW, "exp": NOW + 5 * MINUTE, **ASKED}
    return {name: value for name, value in (right | changes).items() if value is not None}


def effective(compact: str | None, *, by: Client | None = None, **outer: str) -> Parameters:
    nobody: Any = None
    keys = ClientKeys(store=nobody, source=nobody, lanes=nobody, clock=FixedClock(START))
    objects = RequestObjects(keys=keys, issuer=ISSUER, clock=FixedClock(START), kind=SignedKind(known=KNOWN))
    sent = {"client_id": CLIENT} | ({"request": compact} if compact is not None else {}) | outer
    return objects.effective(Parameters(sent), by or signing_client())


def refusal(compact: str | None, **options: Any) -> Refusal:
    with pytest.raises(OAuthRefused) as refused:
        effective(compact, **options)
    return refused.value.refusal


def refused_claims(**changes: object) -> Refusal:
    return refusal(es256().sign(claims(**changes), typ=TYP))


def test_the_parameters_are_those_that_were_signed() -> None:
    assert effective(es256().sign(claims(), typ=TYP)).values == {"client_id": CLIENT, **ASKED}


@pytest.mark.parametrize("typ", [TYP, "OAuth-AuthZ-Req+JWT", None])
def test_the_type_is_that_of_request_objects_or_none(typ: str | None) -> None:
    """Clients "should" send it (FAPI 2.0 MS §5.3.2), in any case."""
    assert effective(es256().sign(claims(), typ=typ)).get("state") == "s"


@pytest.mark.parametrize("typ", ["JWT", "dpop+jwt", "client-authentication+jwt"])
def test_what_was_signed_for_another_purpose_is_no_request(typ: str) -> None:
    assert refusal(es256().sign(claims(), typ=typ)).reason == "jose.typ"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"iss": None}, "iss"),
        ({"iss": "client-2"}, "iss"),
        ({"client_id": None}, "client_id"),
        ({"client_id": "client-2"}, "client_id"),
        ({"aud": None}, "aud"),
        ({"aud": "https://another.example"}, "aud"),
        ({"aud": f"{ISSUER}/"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": [ISSUER, 7]}, "aud"),
        ({"nbf": None}, "nbf"),
        ({"nbf": NOW + 11, "exp": NOW + 60}, "nbf"),
        ({"nbf": NOW - 60 * MINUTE - 1, "exp": NOW - 1}, "nbf"),
        ({"nbf": "now"}, "nbf"),
        ({"nbf": True}, "nbf"),
        ({"exp": None}, "exp"),
        ({"exp": NOW}, "exp"),
        ({"exp": NOW + 60 * MINUTE + 1}, "exp"),
        ({"exp": 1e400}, "exp"),
        ({"iat": NOW + 11}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"sub": CLIENT}, "sub"),
        ({"request": "a.b.c"}, "request"),
        ({"request_uri": "urn:x"}, "request_uri"),
        ({"state": 7}, "state"),
        ({"scope": ["AIS:1"]}, "scope"),
        ({"authorization_details": {"type": "account_information"}}, "authorization_details: must be an array"),
    ],
)
def test_a_claim_that_is_wrong_is_named(changes: dict[str, object], named: str) -> None:
    """Each of them alone."""
    refused = refused_claims(**changes)

    assert refused.error == "invalid_request_object"
    assert refused.description.startswith(f"request: claim {named}") or refused.reason == "jose.payload"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [ISSUER]},
        {"aud": ["https://another.example", ISSUER]},
        {"nbf": NOW + 10},
        {"nbf": NOW - 59 * MINUTE, "exp": NOW + 1 * MINUTE},
        {"nbf": NOW, "exp": NOW + 60 * MINUTE},
        {"exp": NOW + 1},
        {"iat": NOW + 10},
        {"sub": "somebody-else"},
        {"nonce": 7, "jti": "once", "unheard_of": {}},
    ],
)
def test_what_is_just_right_is_taken(changes: dict[str, object]) -> None:
    """The other side of each bound."""
    assert effective(es256().sign(claims(**changes), typ=TYP)).get("scope") == "AIS:1"


def test_details_may_be_an_array_in_the_request_object() -> None:
    """RFC 9396 §3: JSON inside JSON needs no text around it."""
    details = [{"type": "account_information"}]
    taken = effective(es256().sign(claims(authorization_details=details), typ=TYP)).require("authorization_details")

    assert json.loads(taken) == details


@pytest.mark.parametrize("name", ["scope", "state", "redirect_uri", "request_uri"])
def test_nothing_stands_beside_a_request_object(name: str) -> None:
    """Not even the same: there is one place to look at."""
    refused = refusal(es256().sign(claims(), typ=TYP), **{name: ASKED.get(name, "urn:x")})

    assert (refused.error, refused.description.partition(":")[0]) == ("invalid_request", name)


def test_the_client_may_authenticate_beside_it() -> None:
    assert effective(es256().sign(claims(), typ=TYP), client_assertion="a.b.c", client_assertion_type="x").get("state") == "s"


def test_who_has_to_sign_is_refused_without() -> None:
    """By its profile, or because it said so."""
    by_wish = client(profile=ClientProfile.FAPI2, require_signed_request_object=True)
    for asking in (signing_client(), by_wish):
        assert refusal(None, by=asking, scope="AIS:1").description == "request: is missing: this client signs its requests"


def test_who_need_not_sign_may_send_the_parameters_themselves() -> None:
    assert effective(None, by=client(profile=ClientProfile.FAPI2), scope="AIS:1").get("scope") == "AIS:1"


def test_the_algorithm_that_the_client_has_registered_is_the_only_one() -> None:
    registered = signing_client(request_object_signing_alg=SigningAlg.PS256)

    assert effective(ps256().sign(claims(), typ=TYP), by=registered).get("state") == "s"
    assert refusal(es256().sign(claims(), typ=TYP), by=registered).reason == "jose.alg"


def test_what_another_key_signed_is_refused_as_a_request_object() -> None:
    """The fault of the signature, under the error of RFC 9101 §7."""
    refused = refusal(es256("another").sign(claims(), typ=TYP, kid="ec-1"))

    assert (refused.error, refused.reason) == ("invalid_request_object", "jose.signature")


def test_values_keep_the_limits_that_they_have_in_a_form() -> None:
    assert refused_claims(state="x" * 2049).description == "state: has 2049 characters, at most 2048 are read"
    assert refused_claims(state="ä").description.startswith("state: holds a character")


def test_an_empty_value_counts_as_absent() -> None:
    """RFC 6749 §3.1."""
    assert effective(es256().sign(claims(state=""), typ=TYP)).get("state") is None


def test_a_client_assertion_is_no_request_object() -> None:
    """What authenticates the client, sent in the place of what it asks for (RFC 9101 §10.8)."""
    assertion = es256().sign({"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "nbf": NOW, "exp": NOW + 60, "client_id": CLIENT})

    assert refusal(assertion).reason == "jose.claim.sub"


def test_the_clock_is_the_servers() -> None:
    later = FixedClock(START + dt.timedelta(minutes=6))
    nobody: Any = None
    objects = RequestObjects(
        keys=ClientKeys(store=nobody, source=nobody, lanes=nobody, clock=later),
        issuer=ISSUER,
        clock=later,
        kind=SignedKind(known=KNOWN),
    )
    with pytest.raises(OAuthRefused, match="claim exp: has passed"):
        objects.effective(Parameters({"request": es256().sign(claims(), typ=TYP)}), signing_client())
