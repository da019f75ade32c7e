"""A client's signed message is believed only if everything about it is right (RFC 7515, RFC 8725)."""

from __future__ import annotations

import hmac
import itertools
import json
import warnings
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.oauth.jose.algorithms import SUPPORTED
from gateway.oauth.jose.jws import MOST_CHARACTERS, verified_jws
from gateway.oauth.jose.key_set import read_key_set
from gateway.oauth.jose.refusals import JwsRefused, UnknownKey
from gateway.register.model import SigningAlg
from tests.support.jose import Signer, b64, eddsa, es256, jwks, key_set, ps256

if TYPE_CHECKING:
    from gateway.oauth.jose.key_set import KeySet

CLAIMS = {"iss": "client-1", "exp": 1300819380}


def refusal(compact: str, keys: KeySet | None = None, **options: object) -> JwsRefused:
    with pytest.raises(JwsRefused) as refused:
        verified_jws(compact, keys or key_set(es256()), **({"algs": SUPPORTED} | options))  # type: ignore[arg-type]
    return refused.value


def unsigned(**header: str) -> str:
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(CLAIMS).encode())}"


def test_the_example_of_rfc7515_a3_is_believed() -> None:
    """ES256, with the key and the message of the RFC; it names neither kid nor typ."""
    keys = read_key_set(
        '{"keys": [{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
        '"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}'
    )
    compact = (
        "eyJhbGciOiJFUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )

    claims = verified_jws(compact, keys, algs=SUPPORTED)

    assert claims.values == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}


def test_the_signature_of_rfc8037_a4_is_believed_and_its_payload_is_no_jwt() -> None:
    """EdDSA on Ed25519: the signature holds, so what is refused is the payload, which is a plain sentence."""
    keys = read_key_set('{"keys": [{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}')
    signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    good = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

    assert refusal(f"{signed}.{good}", keys).reason == "jose.payload"
    assert refusal(f"{signed}.{good[:-2]}Ag"[:-4] + "AAAg", keys).reason == "jose.signature"


@pytest.mark.parametrize("signer", [es256(), ps256(), eddsa()], ids=lambda signer: signer.alg)
def test_each_algorithm_of_the_profile_is_believed_by_the_key_that_kid_names(signer: Signer) -> None:
    """FAPI 2.0 SP §5.4.1: PS256, ES256, EdDSA."""
    claims = verified_jws(signer.sign(CLAIMS), key_set(ps256(), es256(), eddsa()), algs=SUPPORTED)

    assert (claims.values, claims.kid, claims.typ) == (CLAIMS, signer.kid, None)


@pytest.mark.parametrize("signer", [es256(), ps256(), eddsa()], ids=lambda signer: signer.alg)
@pytest.mark.parametrize("part", [1, 2])
def test_a_changed_character_breaks_the_signature(signer: Signer, part: int) -> None:
    """Of the payload or of the signature itself."""
    parts = signer.sign({"iss": "client-1", "pad": "x" * 20}).split(".")
    at = 13  # within `client-1`, whose other letters leave JSON whole
    parts[part] = parts[part][:at] + ("A" if parts[part][at] != "A" else "B") + parts[part][at + 1 :]

    assert refusal(".".join(parts), key_set(signer)).reason == "jose.signature"


def test_another_clients_signature_is_not_believed() -> None:
    """The right kid, by another key."""
    assert refusal(Signer("ES256", "ec-1", es256("other").key).sign(CLAIMS)).reason == "jose.signature"


def test_no_signature_is_no_signature() -> None:
    """Neither cut off nor announced as `none`."""
    assert refusal(es256().sign(CLAIMS).rpartition(".")[0] + ".").reason == "jose.signature"
    assert refusal(f"{unsigned(alg='none')}.").reason == "jose.alg_none"


def test_a_public_key_is_no_shared_secret() -> None:
    """RFC 8725 §2.1: the classic, HS256 with what everybody knows."""
    signed = unsigned(alg="HS256", kid="rsa-1")
    mac = hmac.digest(jwks(ps256()).encode(), signed.encode(), "sha256")

    assert refusal(f"{signed}.{b64(mac)}", key_set(ps256())).reason == "jose.alg_symmetric"


@pytest.mark.parametrize("alg", ["RS256", "PS512", "ES384", "es256", "ed25519", "Ed448", "", 7])
def test_other_algorithms_are_refused(alg: object) -> None:
    """By their exact names."""
    assert refusal(es256().sign(CLAIMS, alg=alg)).reason == "jose.alg"


def test_ed25519_may_be_named_in_full() -> None:
    """RFC 9864: by the header, by the key, by both."""
    named = {**eddsa().jwk, "alg": "Ed25519"}
    for alg in ("EdDSA", "Ed25519"):
        for key in (eddsa().jwk, named):
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # of the library, that the old name has a new one
                assert verified_jws(eddsa().sign(CLAIMS, alg=alg), key_set(key), algs=[SigningAlg.EDDSA]).values == CLAIMS
    assert refusal(eddsa().sign(CLAIMS, alg="Ed25519"), key_set(eddsa()), algs=[SigningAlg.ES256]).reason == "jose.alg"
    assert refusal(es256().sign(CLAIMS, alg="Ed25519")).reason == "jose.key_type"


def test_of_keys_with_one_name_the_one_that_fits_is_taken() -> None:
    """FAPI 2.0 SP §5.4.3."""
    keys = key_set(ps256("same"), es256("same"), eddsa("same"))

    for signer in (ps256("same"), es256("same"), eddsa("same")):
        assert verified_jws(signer.sign(CLAIMS), keys, algs=SUPPORTED).values == CLAIMS


def test_a_message_without_algorithm_is_refused() -> None:
    """RFC 7515 §4.1.1: the member must be there."""
    assert refusal(es256().sign(CLAIMS, alg=None)).reason == "jose.alg"


def test_a_supported_algorithm_that_this_client_has_not_registered_is_refused() -> None:
    """`algs` is what this one message may take."""
    refused = refusal(es256().sign(CLAIMS), algs=[SigningAlg.PS256])

    assert (refused.reason, refused.text) == ("jose.alg", "header alg: must be one of PS256")


def test_the_key_has_to_fit_the_algorithm() -> None:
    """RFC 8725 §3.1: a key is used with one algorithm only, whatever the header says."""
    refused = refusal(es256().sign(CLAIMS, alg="PS256"), key_set(es256(), ps256()))

    assert (refused.reason, refused.text) == ("jose.key_type", "header kid: names a key for ES256, where alg says PS256")


def test_an_unknown_kid_is_told_apart_so_that_keys_can_be_fetched_anew() -> None:
    """Even where another key of the client would verify it."""
    refused = refusal(es256().sign(CLAIMS, kid="ec-2"))

    assert isinstance(refused, UnknownKey)
    assert refused.reason == "jose.kid"


def test_without_kid_the_one_key_for_the_algorithm_is_taken() -> None:
    """RFC 7515 §6: what else could be meant."""
    assert verified_jws(es256().sign(CLAIMS, kid=None), key_set(ps256(), es256()), algs=SUPPORTED).values == CLAIMS


def test_without_kid_several_keys_are_not_tried_one_after_another() -> None:
    """The sender says which; guessing would cost a verification for each."""
    assert refusal(es256().sign(CLAIMS, kid=None), key_set(es256(), es256("ec-2"))).reason == "jose.kid_ambiguous"
    twins = key_set(es256(), Signer("ES256", "ec-1", es256("ec-2").key))
    assert refusal(es256().sign(CLAIMS), twins).reason == "jose.kid_ambiguous"


def test_without_kid_and_without_a_key_for_the_algorithm_nothing_is_believed() -> None:
    """It may have been published since: that, too, is worth a look."""
    assert isinstance(refusal(ps256().sign(CLAIMS, kid=None)), UnknownKey)


def test_a_key_that_was_passed_over_is_named_with_the_reason() -> None:
    """Too weak: the client hears it from the refusal that it gets."""
    weak = Signer("PS256", "weak", rsa.generate_private_key(65_537, 1024))  # noqa: S505 - the point

    refused = refusal(weak.sign(CLAIMS), key_set(es256(), weak))

    assert refused.reason == "jose.key_unusable"
    assert "has 1024 bits" in refused.text
    assert "(FAPI 2.0 SP section 5.4.1)" in refused.text


def test_what_stands_in_a_key_is_told_in_letters_that_an_error_may_have() -> None:
    """RFC 6749 section 5.2: no quotes, no backslashes, ASCII alone; and no line of its own."""
    strange = {**ps256().jwk, "alg": 'Ä"\\r\n\x1b[1m'}

    assert refusal(ps256().sign(CLAIMS), key_set(es256(), strange)).text == (
        "header kid: names a key that is not used: its alg is ???r??[1m, where PS256 would fit the key"
    )


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_message_brings_no_key_of_its_own(name: str) -> None:
    """RFC 8725 §3.10: even where it is the registered one."""
    values = {"jwk": es256().jwk, "x5c": ["MIIB"], "jku": "https://tpp.example/jwks", "x5u": "https://tpp.example/x5u"}

    assert refusal(es256().sign(CLAIMS, **{name: values[name]})).reason == "jose.embedded_key"


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"crit": ["b64"], "b64": False}])
def test_extensions_are_not_understood(header: dict[str, object]) -> None:
    """RFC 7515 §4.1.11: what is critical and not understood refuses the message; unencoded payloads as well (RFC 7797)."""
    assert refusal(es256().sign(CLAIMS, **header)).reason == "jose.crit"


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "application/jwt"])
def test_a_message_without_a_type_of_its_own_is_a_jwt(typ: str | None) -> None:
    """Where no type is asked for."""
    assert verified_jws(es256().sign(CLAIMS, typ=typ), key_set(es256()), algs=SUPPORTED).values == CLAIMS


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "dpop+jwt", "", 7])
def test_a_message_of_another_type_is_not_taken_for_a_jwt(typ: object) -> None:
    """RFC 8725 §3.11: what was signed for one purpose serves no other."""
    assert refusal(es256().sign(CLAIMS, typ=typ)).reason == "jose.typ"


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "OAuth-Authz-Req+JWT", "application/oauth-authz-req+jwt"])
def test_a_type_is_a_media_type_in_any_case(typ: str) -> None:
    """RFC 7515 §4.1.9."""
    assert verified_jws(es256().sign(CLAIMS, typ=typ), key_set(es256()), algs=SUPPORTED, typ="oauth-authz-req+jwt").typ == (
        "oauth-authz-req+jwt"
    )


@pytest.mark.parametrize("typ", [None, "JWT", "oauth-authz-req"])
def test_where_a_type_is_asked_for_nothing_else_will_do(typ: str | None) -> None:
    """RFC 8725 §3.11, the other way round."""
    assert refusal(es256().sign(CLAIMS, typ=typ), typ="oauth-authz-req+jwt").reason == "jose.typ"


@pytest.mark.parametrize(
    ("compact", "reason"),
    [
        ("", "jose.form"),
        ("a.b", "jose.form"),
        ("a.b.c.d", "jose.form"),
        ("a.b.c.d.e", "jose.encrypted"),
        (es256().sign(CLAIMS) + "=", "jose.form"),
        (es256().sign(CLAIMS) + "\n", "jose.form"),
        ("A." + es256().sign(CLAIMS).partition(".")[2], "jose.header"),
        (es256().sign_raw(b"[]", b"{}"), "jose.header"),
        (es256().sign_raw(b'{"alg":"none","alg":"ES256"}', b"{}"), "jose.header"),
        (es256().sign_raw(b'{"alg":"ES256","kid":7}', b"{}"), "jose.header"),
        (es256().sign(b"[1]"), "jose.payload"),
        (es256().sign(b""), "jose.payload"),
        (es256().sign(b'{"iss":"a","iss":"b"}'), "jose.payload"),
        (es256().sign(b'{"exp":NaN}'), "jose.payload"),
        (es256().sign(b'{"a":' + b"[" * 4000 + b"]" * 4000 + b"}"), "jose.payload"),
        (es256().sign(b'{"a":' + b"9" * 5000 + b"}"), "jose.payload"),
        (es256().sign(b'{"a":"\xff"}'), "jose.payload"),
    ],
    ids=itertools.count(),  # a signature is another one in each process
)
def test_what_is_malformed_is_named(compact: str, reason: str) -> None:
    """Each wrong in one way; none of them an exception of some library."""
    assert refusal(compact).reason == reason


def test_what_is_too_long_is_not_read() -> None:
    """Neither the whole nor a header that would be parsed before its signature is known."""
    assert refusal(es256().sign({"a": "x" * MOST_CHARACTERS})).reason == "jose.size"
    assert refusal(es256().sign(CLAIMS, pad="x" * 2000)).reason == "jose.size"
