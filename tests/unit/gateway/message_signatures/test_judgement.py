"""A request's signature: what it has to be (FAPI 2.0 HTTP Signatures, RFC 9421), and each way in which it is not."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.message_signatures.faults import SignatureFault, UnknownKeyId
from gateway.message_signatures.judgement import VerifiedSignature, verified_request
from gateway.message_signatures.messages import RequestMessage, target_uri
from gateway.message_signatures.uses import claim_of
from gateway.oauth.jose.key_set import read_key_set
from gateway.register.model import SigningAlg
from tests.support.message_signatures import USUAL, MessageSigner, digest_of, signed_fields

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_800_000_000
URL = "https://localhost:8443/v1/accounts?withBalance=true"
BODY = b'{"amount": "1.00"}'
SIGNER = MessageSigner()
PLAIN = {"authorization": "Bearer token-1", "x-request-id": "r-1"}
WITH_BODY = PLAIN | {"content-digest": digest_of(BODY), "content-type": "application/json"}


def message(fields: dict[str, str], *, body: bytes = b"", url: str = URL, method: str = "GET") -> RequestMessage:
    return RequestMessage(method=method, url=url, lines=tuple(fields.items()), body=body)


def signed(fields: dict[str, str] = PLAIN, *, body: bytes = b"", signer: MessageSigner = SIGNER, **how: Any) -> RequestMessage:
    how = {"method": "GET", "url": URL, "created": NOW} | how
    return message(fields | signed_fields(signer, fields=fields, **how), body=body)


def verified(
    request: RequestMessage, *, keys: dict[str, Any] | None = None, now: float = NOW, seconds: float = 60
) -> VerifiedSignature:
    return verified_request(request, read_key_set(json.dumps(keys or SIGNER.jwks)), now=now, seconds=seconds)


def fault_of(request: RequestMessage, **known: Any) -> SignatureFault:
    with pytest.raises(SignatureFault) as caught:
        verified(request, **known)
    return caught.value


def parameters(**said: object) -> str:
    """Return parameters, those of a good signature but for what is `said`; None leaves one out."""
    usual = {"created": NOW, "keyid": f'"{SIGNER.kid}"', "tag": '"fapi-2-request"'} | said
    return "".join(f";{name}={value}" for name, value in usual.items() if value is not None)


@pytest.mark.parametrize("alg", SigningAlg)
def test_a_request_is_believed_by_each_algorithm_of_the_profile(alg: SigningAlg) -> None:
    """PS256 by its key alone, for RFC 9421 has no name for it (§3.3.7)."""
    signer = MessageSigner.of(alg)
    found = verified(signed(WITH_BODY, body=BODY, signer=signer), keys=signer.jwks)
    assert (found.keyid, found.algorithm, found.created, found.ends_at) == (signer.kid, alg, NOW, NOW + 60)


@pytest.mark.parametrize(("alg", "name"), [(SigningAlg.ES256, "ecdsa-p256-sha256"), (SigningAlg.EDDSA, "ed25519")])
def test_an_algorithm_may_be_named_that_is_the_key_s(alg: SigningAlg, name: str) -> None:
    signer = MessageSigner.of(alg)
    request = signed(signer=signer, parameters=parameters(alg=f'"{name}"'))
    assert verified(request, keys=signer.jwks).algorithm is alg


@pytest.mark.parametrize(
    ("alg", "name"),
    [
        (SigningAlg.ES256, "ed25519"),
        (SigningAlg.ES256, "ES256"),
        (SigningAlg.ES256, "hmac-sha256"),
        (SigningAlg.EDDSA, "ecdsa-p256-sha256"),
        (SigningAlg.PS256, "rsa-pss-sha512"),
        (SigningAlg.PS256, "rsa-v1_5-sha256"),
    ],
)
def test_an_algorithm_that_is_not_the_key_s_is_refused(alg: SigningAlg, name: str) -> None:
    signer = MessageSigner.of(alg)
    request = signed(signer=signer, parameters=parameters(alg=f'"{name}"'))
    assert fault_of(request, keys=signer.jwks).reason == "message_signature.algorithm"


@pytest.mark.parametrize("missing", USUAL)
def test_what_every_request_has_is_covered(missing: str) -> None:
    fault = fault_of(signed(components=tuple(name for name in USUAL if name != missing)))
    assert (fault.reason, missing.strip('"') in fault.text) == ("message_signature.components", True)


@pytest.mark.parametrize("covered", ['"@method";req', '"@target-uri";x', '"authorization";bs', '"authorization";sf'])
def test_what_has_to_be_covered_is_covered_as_it_is(covered: str) -> None:
    """With a parameter it is another value that is signed."""
    name = covered.partition(";")[0]
    components = tuple(covered if each == name else each for each in USUAL)
    assert fault_of(signed(components=components)).reason == "message_signature.components"


def test_a_proof_of_possession_is_covered_where_there_is_one() -> None:
    fields = PLAIN | {"dpop": "a.b.c"}
    assert verified(signed(fields)).keyid == SIGNER.kid
    assert fault_of(signed(fields, components=USUAL)).text == "The signature does not cover dpop."


def test_a_body_is_covered_by_its_digest() -> None:
    assert fault_of(signed(PLAIN, body=BODY)).reason == "message_signature.digest_missing"
    assert fault_of(signed(WITH_BODY, body=BODY, components=USUAL)).reason == "message_signature.components"


@pytest.mark.parametrize(
    ("digest", "reason"),
    [
        (digest_of(b"another"), "digest_mismatch"),
        (f"{digest_of(BODY)}, sha-512=:AAAA:", "digest_mismatch"),
        ("sha-512=:AAAA:", "digest_mismatch"),
        ("md5=:AAAA:", "digest_algorithm"),
        ("SHA-256=abc", "digest_malformed"),
        ('sha-256="abc"', "digest_malformed"),
        (f"{digest_of(BODY)}, {digest_of(BODY)}", "digest_malformed"),
        ("", "digest_malformed"),
    ],
)
def test_a_digest_is_that_of_the_body(digest: str, reason: str) -> None:
    fields = WITH_BODY | {"content-digest": digest}
    assert fault_of(signed(fields, body=BODY)).reason == f"message_signature.{reason}"


def test_a_digest_without_a_body_is_that_of_nothing() -> None:
    assert verified(signed(PLAIN | {"content-digest": digest_of(b"")})).keyid == SIGNER.kid
    assert fault_of(signed(WITH_BODY)).reason == "message_signature.digest_mismatch"


def test_further_fields_may_be_covered() -> None:
    components = (*USUAL, '"x-request-id"', '"@query-param";name="withBalance"')
    request = signed(PLAIN, components=(*USUAL, '"x-request-id"'))
    assert verified(request).keyid == SIGNER.kid
    changed = message(dict(request.lines) | {"x-request-id": "r-2"})
    assert fault_of(changed).reason == "message_signature.invalid"
    assert fault_of(signed(PLAIN, components=components)).reason == "message_signature.invalid"  # the base is not written so


@pytest.mark.parametrize("covered", ['"x-other"', '"@status"', '"@unknown"', '"@method";key="a"', '"x-request-id";tr'])
def test_what_the_request_does_not_have_can_not_be_covered(covered: str) -> None:
    assert fault_of(signed(components=(*USUAL, covered))).reason == "message_signature.components"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"created": None}, "created"),
        ({"created": NOW + 11}, "not_yet"),
        ({"created": NOW - 61}, "too_old"),
        ({"expires": NOW}, "too_old"),
        ({"created": f'"{NOW}"'}, "malformed"),
        ({"created": f"{NOW}.0"}, "malformed"),
        ({"keyid": None}, "keyid"),
        ({"keyid": '"sig-2"'}, "key"),
        ({"keyid": "sig-1"}, "malformed"),
        ({"tag": None}, "tag"),
        ({"tag": '"fapi-2-response"'}, "tag"),
        ({"novel": "1"}, "malformed"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(said: dict[str, object], reason: str) -> None:
    assert fault_of(signed(parameters=parameters(**said))).reason == f"message_signature.{reason}"


@pytest.mark.parametrize("created", [NOW - 60, NOW + 10])
def test_moments_that_are_just_right(created: int) -> None:
    assert verified(signed(created=created)).created == created


def test_a_parameter_or_label_that_is_there_twice_is_read_by_nobody() -> None:
    twice = parameters() + f";created={NOW + 1}"
    assert fault_of(signed(parameters=twice)).reason == "message_signature.malformed"
    lines = signed().lines
    assert fault_of(message_of(lines + lines[-2:])).reason == "message_signature.malformed"


def message_of(lines: Any) -> RequestMessage:
    return RequestMessage(method="GET", url=URL, lines=tuple(lines))


def test_a_parameter_that_is_not_known_is_named() -> None:
    assert "the parameter novel, which is not known here" in fault_of(signed(parameters=parameters(novel="1"))).text


def test_a_component_is_covered_once() -> None:
    assert fault_of(signed(components=(*USUAL, '"@method"'))).reason == "message_signature.malformed"


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [line for line in lines if line[0] != "signature"],
        lambda lines: [line for line in lines if line[0] != "signature-input"],
        lambda lines: [(name, value.replace("sig1=", "sig2=") if name == "signature" else value) for name, value in lines],
        lambda lines: [(name, "sig1=abc" if name == "signature" else value) for name, value in lines],
        lambda lines: [(name, "sig1=::" if name == "signature" else value) for name, value in lines],
        lambda lines: [(name, value + "," if name == "signature" else value) for name, value in lines],
        lambda lines: [(name, f"{value}x" if name == "signature-input" else value) for name, value in lines],
        lambda lines: [(name, 'sig1="@method"' if name == "signature-input" else value) for name, value in lines],
        lambda lines: [(name, value + " " * 9_000 if name == "x" else value + "a" * 9_000) for name, value in lines],
        lambda lines: [
            (name, 'keyId="SN=1",algorithm="rsa-sha256"' if name == "signature" else value) for name, value in lines
        ],
        lambda lines: [(name, 'sig1=("@Method")' if name == "signature-input" else value) for name, value in lines],
    ],
)
def test_fields_that_can_not_be_read(change: Callable[[Any], Any]) -> None:
    assert fault_of(message_of(change(signed().lines))).reason == "message_signature.malformed"


def test_of_several_signatures_the_one_of_the_profile_is_taken() -> None:
    """Those of other applications are theirs; two of the profile would leave it to chance which one counts."""
    own = signed().lines
    other = signed(label="sig2", parameters=parameters(tag='"another"', keyid='"theirs"')).lines
    assert verified(message_of(own + other[-2:])).keyid == SIGNER.kid
    second = signed(label="sig2").lines
    assert fault_of(message_of(own + second[-2:])).reason == "message_signature.ambiguous"


def test_a_key_is_found_by_its_name_and_there_is_one() -> None:
    other = MessageSigner.of(SigningAlg.ES256)
    assert isinstance(fault_of(signed(parameters=parameters(keyid='"sig-9"'))), UnknownKeyId)
    both = {"keys": SIGNER.jwks["keys"] + other.jwks["keys"]}
    assert fault_of(signed(), keys=both).reason == "message_signature.key"
    passed_over = {
        "keys": [*other.jwks["keys"][:0], *MessageSigner(kid="x").jwks["keys"], SIGNER.jwks["keys"][0] | {"use": "enc"}]
    }
    assert "use is not sig" in fault_of(signed(), keys=passed_over).text


def test_keys_of_one_name_are_told_apart_by_their_algorithm() -> None:
    other = MessageSigner.of(SigningAlg.EDDSA)
    both = {"keys": SIGNER.jwks["keys"] + other.jwks["keys"]}
    assert verified(signed(parameters=parameters(alg='"ecdsa-p256-sha256"')), keys=both).algorithm is SigningAlg.ES256


@pytest.mark.parametrize(
    "changed",
    [
        lambda request: replace(request, method="POST"),
        lambda request: replace(request, url=URL.replace("true", "false")),
        lambda request: replace(request, url=URL.replace("https", "http")),
        lambda request: replace(request, lines=tuple((n, v.replace("token-1", "token-2")) for n, v in request.lines)),
        lambda request: replace(request, lines=tuple((n, v.replace(str(NOW), str(NOW + 1))) for n, v in request.lines)),
    ],
)
def test_what_was_changed_on_the_way_is_noticed(changed: Callable[[RequestMessage], RequestMessage]) -> None:
    assert fault_of(changed(signed())).reason == "message_signature.invalid"


def test_another_key_of_that_name_does_not_verify_it() -> None:
    other = MessageSigner.of(SigningAlg.ES256)
    assert fault_of(signed(), keys=other.jwks).reason == "message_signature.invalid"


def test_a_signature_that_anybody_makes_of_another_is_the_same_use() -> None:
    """ECDSA: with (r, s), (r, n - s) verifies too. It must not pass as a new one."""
    request = signed()
    original, mirrored = verified(request), verified(_mirrored(request))
    assert mirrored.use == original.use
    assert verified(signed()).use != original.use


def _mirrored(request: RequestMessage) -> RequestMessage:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    value = dict(request.lines)["signature"].removeprefix("sig1=:").removesuffix(":")
    raw = base64.b64decode(value)
    made = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    return message(dict(request.lines) | {"signature": f"sig1=:{base64.b64encode(made).decode()}:"})


def test_a_use_is_remembered_for_as_long_as_the_signature_is_good() -> None:
    found = verified(signed(created=NOW + 10))
    claim = claim_of(found, now=NOW)
    assert (claim.capacity, claim.wanted, claim.per_second, claim.overdraws) == (1, 1, 0, False)
    assert claim.keep_seconds >= 70


def test_the_target_uri_is_written_in_one_way() -> None:
    assert target_uri("LocalHost:443", "/v1/a", b"") == "https://localhost/v1/a"
    assert target_uri("localhost:8443", "/v1/a", b"x=1") == "https://localhost:8443/v1/a?x=1"
