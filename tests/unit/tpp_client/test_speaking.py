"""A client speaks as it has registered to, and believes what the bank has signed and nothing else."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from psd2.clock import FixedClock
from tests.support.dpop import ath_of
from tests.unit.tpp_client.fakes import EDGE, ISSUER, ScriptedTransport, answer
from tests.unit.tpp_client.test_pushing_and_signing import METADATA as PUSHING
from tpp_client.authorization import process_authorization_response
from tpp_client.client import ClientTraits
from tpp_client.dpop import DpopKey
from tpp_client.errors import AuthorizationRefused, AuthorizationResponseRejected, SignedAnswerRejected, UnexpectedResponse
from tpp_client.signing_keys import Algorithms, SigningKey, new_signing_key
from tpp_client.speaking import Voice, voice_of
from tpp_client.xs2a import Access, Xs2a

if TYPE_CHECKING:
    from pathlib import Path

    from tpp_client.authorization import AuthorizationAttempt
    from tpp_client.identity import TppIdentity

CLOCK = FixedClock(dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC))
NOW = int(CLOCK.now().timestamp())
METADATA = replace(PUSHING, jwks_uri=f"{ISSUER}/jwks")
BANK = new_signing_key()
KEYS = answer(200, {"keys": [BANK.public]})
PUSHED = answer(201, {"request_uri": "urn:ietf:params:oauth:request_uri:x", "expires_in": 90})
REDIRECT = "https://localhost:8446/callback"


def voice(identity: TppIdentity, traits: ClientTraits, *, proving: DpopKey | None = None) -> Voice:
    return Voice(identity=replace(identity, client=traits), clock=CLOCK, key=new_signing_key(), proving=proving)


@pytest.fixture
def signing(identity: TppIdentity) -> Voice:
    return voice(identity, ClientTraits(profile="fapi2-message-signing"))


@pytest.fixture
def attempt(signing: Voice) -> AuthorizationAttempt:
    return signing.begin(redirect_uri=REDIRECT, scope="AIS:1")


def signed_by(key: SigningKey, claims: dict[str, Any], *, typ: str = "JWT") -> str:
    return key.signed(claims, header={"typ": typ})


def answered(signing: Voice, attempt: AuthorizationAttempt, **changes: Any) -> dict[str, Any]:
    right = {"iss": ISSUER, "aud": signing.identity.client_id, "exp": NOW + 300, "state": attempt.state, "code": "c0de"}
    return {name: value for name, value in (right | changes).items() if value is not None}


def redirected(compact: str, **beside: str) -> str:
    return f"{REDIRECT}?{urlencode({'response': compact, **beside})}"


def test_what_is_pushed_is_signed_whole(signing: Voice, attempt: AuthorizationAttempt) -> None:
    """RFC 9126 §3, FAPI 2.0 MS §5.3.2: every parameter inside, nothing beside it, meant for this bank, for a while."""
    wire = ScriptedTransport(PUSHED)

    url = signing.address(wire, METADATA, attempt)

    assert wire.form().keys() == {"client_id", "request"}
    assert signing.key is not None
    message = jws.deserialize_compact(wire.form()["request"], signing.key.key, registry=Algorithms("ES256"))
    claims = json.loads(message.payload)
    assert message.headers()["typ"] == "oauth-authz-req+jwt"
    assert (claims["iss"], claims["aud"], claims["nbf"], claims["exp"]) == (signing.identity.client_id, ISSUER, NOW, NOW + 300)
    assert (claims["scope"], claims["state"], claims["response_mode"]) == ("AIS:1", attempt.state, "jwt")
    assert set(parse_qs(urlsplit(url).query)) == {"client_id", "request_uri"}


def test_a_plain_client_puts_its_request_into_the_address(identity: TppIdentity) -> None:
    """The Berlin Group's way: nothing is sent before the browser is."""
    plain = voice(identity, ClientTraits())
    begun = plain.begin(redirect_uri=REDIRECT, scope="AIS:1")

    query = parse_qs(urlsplit(plain.address(ScriptedTransport(), METADATA, begun)).query)

    assert query["scope"] == ["AIS:1"]
    assert "response_mode" not in query


def test_a_signed_answer_brings_the_code(signing: Voice, attempt: AuthorizationAttempt) -> None:
    """JARM §2.4."""
    compact = signed_by(BANK, answered(signing, attempt))

    code, signed = signing.answer(ScriptedTransport(KEYS), METADATA, attempt, redirected(compact))

    assert (code.value, str(signed)) == ("c0de", f"ES256 by key {BANK.kid[:8]} of {ISSUER}")


def test_an_honest_no_is_one(signing: Voice, attempt: AuthorizationAttempt) -> None:
    """Errors come signed as well."""
    compact = signed_by(BANK, answered(signing, attempt, code=None, error="access_denied"))

    with pytest.raises(AuthorizationRefused, match="access_denied"):
        signing.answer(ScriptedTransport(KEYS), METADATA, attempt, redirected(compact))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iss": "https://evil.example"}, "mix-up"),
        ({"iss": None}, "mix-up"),
        ({"aud": "somebody"}, "meant for"),
        ({"exp": NOW - 60}, "expired"),
        ({"exp": None}, "exp"),
        ({"state": "another"}, "state"),
        ({"state": None}, "state"),
        ({"code": None}, "neither a code nor an error"),
    ],
)
def test_a_claim_that_is_wrong_is_told(
    signing: Voice, attempt: AuthorizationAttempt, changes: dict[str, Any], said: str
) -> None:
    """Each wrong in one way."""
    compact = signed_by(BANK, answered(signing, attempt, **changes))

    with pytest.raises((AuthorizationResponseRejected, UnexpectedResponse), match=said):
        signing.answer(ScriptedTransport(KEYS), METADATA, attempt, redirected(compact))


def test_another_signature_counts_for_nothing(signing: Voice, attempt: AuthorizationAttempt) -> None:
    """By another key of the same name, by none, or of another type."""
    claims = answered(signing, attempt)
    another = replace(new_signing_key(), kid=BANK.kid)
    nothing = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    unsigned = f"{nothing}.{signed_by(BANK, claims).split('.')[1]}."
    for compact in (signed_by(another, claims), unsigned, signed_by(BANK, claims, typ="token-introspection+jwt")):
        with pytest.raises(SignedAnswerRejected):
            signing.answer(ScriptedTransport(KEYS), METADATA, attempt, redirected(compact))


def test_only_the_registered_algorithm_is_taken(identity: TppIdentity) -> None:
    """`authorization_signed_response_alg` says which."""
    strict = voice(identity, ClientTraits(profile="fapi2", authorization_signed_response_alg="PS256"))
    begun = strict.begin(redirect_uri=REDIRECT, scope="AIS:1")

    with pytest.raises(SignedAnswerRejected, match="PS256"):
        strict.answer(ScriptedTransport(KEYS), METADATA, begun, redirected(signed_by(BANK, answered(strict, begun))))


def test_a_stripped_answer_is_none(signing: Voice, attempt: AuthorizationAttempt) -> None:
    """Whoever asked for a signed answer takes no plain one, nor a plain code beside it."""
    plain = {"code": "c0de", "state": attempt.state, "iss": ISSUER}
    beside = redirected(signed_by(BANK, answered(signing, attempt)), code="another")

    for redirect in (f"{REDIRECT}?{urlencode(plain)}", beside):
        with pytest.raises(AuthorizationResponseRejected, match="signed response alone"):
            signing.answer(ScriptedTransport(KEYS), METADATA, attempt, redirect)
    with pytest.raises(AuthorizationResponseRejected, match="signed answer was asked for"):
        process_authorization_response(METADATA, attempt, f"{REDIRECT}?{urlencode(plain)}")


def test_introspection_is_believed_when_signed(signing: Voice) -> None:
    """RFC 9701: asked for by `Accept`, and not taken unsigned."""
    told = {"iss": ISSUER, "aud": signing.identity.client_id, "token_introspection": {"active": True, "cnf": {"jkt": "k"}}}
    wire = ScriptedTransport(answer(200, signed_by(BANK, told, typ="token-introspection+jwt").encode()), KEYS)

    introspection, _ = signing.introspected(wire, METADATA, "t0ken")

    assert (introspection.active, introspection.jkt) == (True, "k")
    assert wire.requests[0].headers["Accept"] == "application/token-introspection+jwt"
    with pytest.raises(SignedAnswerRejected):
        signing.introspected(ScriptedTransport(answer(200, {"active": True}), KEYS), METADATA, "t0ken")


@pytest.mark.parametrize("wrong", [{"iss": "https://evil.example"}, {"aud": "somebody"}])
def test_introspection_by_or_for_others_is_not_used(signing: Voice, wrong: dict[str, str]) -> None:
    """Nothing in it names the issuer once more."""
    told = {"iss": ISSUER, "aud": signing.identity.client_id, "token_introspection": {"active": True}} | wrong
    wire = ScriptedTransport(answer(200, signed_by(BANK, told, typ="token-introspection+jwt").encode()), KEYS)

    with pytest.raises(SignedAnswerRejected):
        signing.introspected(wire, METADATA, "t0ken")


def test_a_bound_token_goes_with_a_proof(identity: TppIdentity) -> None:
    """RFC 9449 §7.1: for this method and address, and this token; never as Bearer."""
    key = DpopKey(CLOCK)
    wire = ScriptedTransport(answer(200, {"accounts": []}))
    bank = Xs2a(transport=voice(identity, ClientTraits(profile="fapi2"), proving=key).over(wire), edge=EDGE)

    bank.get("/v1/accounts?withBalance=true", access=Access(token="t0ken"))

    headers = wire.requests[0].headers
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in headers["DPoP"].split(".")[:2])
    assert headers["Authorization"] == "DPoP t0ken"
    assert (claims["htm"], claims["htu"], claims["iat"]) == ("GET", f"{EDGE}/v1/accounts", NOW)
    assert claims["ath"] == ath_of("t0ken")
    assert "d" not in header["jwk"]
    assert KeySet.import_key_set({"keys": [header["jwk"]]}).keys[0].thumbprint() == key.jkt


def test_a_nonce_that_is_asked_for_is_given_once_more_and_from_then_on(identity: TppIdentity) -> None:
    """RFC 9449 §8."""
    asked = answer(400, {"error": "use_dpop_nonce"}, {"dpop-nonce": "n1"})
    wire = ScriptedTransport(asked, answer(200, {}), answer(200, {}))
    transport = voice(identity, ClientTraits(profile="fapi2"), proving=DpopKey(CLOCK)).over(wire)
    bank = Xs2a(transport=transport, edge=EDGE)

    bank.get("/v1/accounts", access=Access(token="t0ken"))
    bank.get("/v1/accounts", access=Access(token="t0ken"))

    proofs = [json.loads(base64.urlsafe_b64decode(r.headers["DPoP"].split(".")[1] + "==")) for r in wire.requests]
    assert [proof.get("nonce") for proof in proofs] == [None, "n1", "n1"]
    assert len({proof["jti"] for proof in proofs}) == 3


def test_a_server_that_always_asks_for_a_nonce_is_not_asked_for_ever(identity: TppIdentity) -> None:
    """Twice, and its refusal is the answer; a nonce that it has been given is no reason to ask again."""
    asked = answer(401, {}, {"dpop-nonce": "n1", "www-authenticate": 'DPoP error="use_dpop_nonce"'})
    wire = ScriptedTransport(asked, asked, asked)
    bank = Xs2a(transport=voice(identity, ClientTraits(profile="fapi2"), proving=DpopKey(CLOCK)).over(wire), edge=EDGE)

    statuses = [bank.get("/v1/accounts", access=Access(token="t0ken")).status for _ in range(2)]

    assert (statuses, len(wire.requests)) == ([401, 401], 3)


def test_another_refusal_is_not_tried_again(identity: TppIdentity) -> None:
    """A new nonce may come with any answer (RFC 9449 §8.2)."""
    wire = ScriptedTransport(answer(401, {"error": "invalid_token"}, {"dpop-nonce": "n1"}))
    bank = Xs2a(transport=voice(identity, ClientTraits(profile="fapi2"), proving=DpopKey(CLOCK)).over(wire), edge=EDGE)

    assert bank.get("/v1/accounts", access=Access(token="t0ken")).status == 401


def test_tokens_of_another_kind_are_not_taken(identity: TppIdentity) -> None:
    """RFC 9449 §5: a client that asked for bound tokens does not use a Bearer token."""
    bound = voice(identity, ClientTraits(profile="fapi2"), proving=DpopKey(CLOCK))
    granted = answer(200, {"access_token": "t", "token_type": "Bearer", "expires_in": 300})

    with pytest.raises(UnexpectedResponse, match="DPoP tokens only"):
        bound.refreshed(ScriptedTransport(granted), METADATA, "r3fresh")


def test_proofs_are_for_the_bank_alone(identity: TppIdentity) -> None:
    """Nobody else hears of the token's key."""
    wire = ScriptedTransport(KEYS)
    signed = voice(identity, ClientTraits(profile="fapi2"), proving=DpopKey(CLOCK)).over(wire)
    elsewhere = Xs2a(transport=signed, edge="https://elsewhere.example")

    elsewhere.get("/v1/accounts", access=Access(token="t0ken"))

    assert "DPoP" not in wire.requests[0].headers


def test_a_client_that_has_to_sign_and_has_no_key_is_told(identity: TppIdentity, tmp_path: Path) -> None:
    """Before anything is sent."""
    keyless = replace(identity, folder=tmp_path, client=ClientTraits(profile="fapi2-message-signing"))

    with pytest.raises(Exception, match=r"client\.key"):
        voice_of(keyless, clock=CLOCK)
