"""Tokens that are bound to a key: with a proof made for this very request, and in no other way (RFC 9449 §7)."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.admission.admit import Admission
from gateway.admission.proofs import proof_of
from gateway.admission.refusal import Refusal
from gateway.admission.rendering import render
from gateway.admission.standing import admitted as standing_admitted
from gateway.dpop.nonces import Nonces
from gateway.dpop.rule import NonceRule, ProofRule
from gateway.policies.model import ErrorStyle
from tests.support.admission import Known, admitted, asking, judge_by, knowing, refusal
from tests.support.deployments import only_route
from tests.support.dpop import Prover
from tests.support.pki import Authority

if TYPE_CHECKING:
    from gateway.admission.request import Request
    from tests.support.pki import Issued

HERE = "https://localhost/things"
SECRET = "a-token-bound-to-a-key"
ROUTE = {"token": "required", "scopes": ["AIS"]}


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Lend the CA that the TPP's QWAC comes from."""
    return Authority()


@pytest.fixture(scope="module")
def qwac(authority: Authority) -> Issued:
    """Lend the TPP's QWAC."""
    return authority.qwac()


@pytest.fixture(scope="module")
def prover() -> Prover:
    """Lend the client with its key."""
    return Prover()


@pytest.fixture
def known(authority: Authority, prover: Prover) -> Known:
    """Lend a knowledge of one token that is bound to the client's key."""
    things = knowing(ROUTE, judge=judge_by(authority))
    things.issue(thumbprint="", token=SECRET)
    sha256 = hashlib.sha256(SECRET.encode()).hexdigest()
    things.tokens.entries[sha256] = replace(things.tokens.entries[sha256], jkt=prover.jkt)
    return things


def sent(certificate: Issued | None, *proofs: str, scheme: str = "DPoP", token: str = SECRET) -> Request:
    """Return a request with a token and these proofs."""
    request = asking(certificate=certificate)
    request.authorization = f"{scheme} {token}".encode()
    request.lines = [b"accept: */*\r\n", *(f"dpop: {proof}\r\n".encode() for proof in proofs)]
    return request


def test_a_fresh_proof_by_the_tokens_key_is_admitted(known: Known, qwac: Issued, prover: Prover) -> None:
    """RFC 9449 §7.1; the scheme's case does not matter (RFC 9110 §11.1)."""
    for scheme in ("DPoP", "dpop"):
        admission = admitted(known, sent(qwac, prover.proof("GET", HERE, token=SECRET), scheme=scheme))
        assert admission.token is not None
        assert admission.proof is not None
        assert admission.proof.jkt == prover.jkt


def test_the_certificate_still_says_which_tpp_it_is(known: Known, authority: Authority, prover: Prover) -> None:
    """A key is no licence: another TPP's QWAC does not get in with it."""
    proof = prover.proof("GET", HERE, token=SECRET)
    assert refusal(known, sent(None, proof)).reason == "token.cnf_without_certificate"
    assert refusal(known, sent(authority.qwac(number="PSDFR-ACPR-200002"), proof)).reason in {"tpp.unknown", "token.other_tpp"}
    assert admitted(known, sent(authority.qwac(), proof)).tpp is not None  # a renewed certificate of the same TPP


def test_a_stolen_token_is_worth_nothing_without_its_key(known: Known, qwac: Issued) -> None:
    """RFC 9449 §7.1: neither with no proof, nor with another key's."""
    assert refusal(known, sent(qwac)).reason == "dpop.missing"
    assert refusal(known, sent(qwac, Prover().proof("GET", HERE, token=SECRET))).reason == "token.jkt_mismatch"


def test_a_token_comes_as_what_it_is(known: Known, qwac: Issued, prover: Prover) -> None:
    """RFC 9449 §7.2: a downgrade to Bearer is refused even with a proof, and a Bearer token is no DPoP token."""
    known.issue(thumbprint=qwac.thumbprint, token="a-bearer-token")
    proof = prover.proof("GET", HERE, token=SECRET)

    assert refusal(known, sent(qwac, proof, scheme="Bearer")).reason == "token.dpop_as_bearer"
    assert refusal(known, sent(qwac, proof, token="a-bearer-token")).reason == "token.bearer_as_dpop"
    for scheme in ("Bearer", "bearer", "BEARER"):  # its case does not matter (RFC 9110 §11.1)
        assert admitted(known, sent(qwac, scheme=scheme, token="a-bearer-token")).proof is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"htm": "POST"}, "dpop.htm"),
        ({"htu": "https://localhost/other"}, "dpop.htu"),
        ({"htu": "https://elsewhere.example/things"}, "dpop.htu"),
        ({"iat": int(time.time()) - 120}, "dpop.iat"),
        ({"ath": None}, "dpop.ath"),
    ],
)
def test_a_stolen_proof_does_not_fit_elsewhere(
    known: Known, qwac: Issued, prover: Prover, changes: dict[str, Any], reason: str
) -> None:
    """At another address, by another method, later, or with another token."""
    assert refusal(known, sent(qwac, prover.proof("GET", HERE, token=SECRET, **changes))).reason == reason


def test_two_proofs_are_none(known: Known, qwac: Issued, prover: Prover) -> None:
    """RFC 9449 §4.3 check 1: two servers could read different ones."""
    proofs = [prover.proof("GET", HERE, token=SECRET) for _ in range(2)]
    assert refusal(known, sent(qwac, *proofs)).reason == "dpop.repeated"


def test_a_route_that_binds_nothing_still_asks_for_the_proof(authority: Authority, known: Known, qwac: Issued) -> None:
    """A token that is bound to a key is used with it, whatever a deployment says of certificates."""
    loose = knowing(ROUTE | {"token_binding": "off"}, judge=judge_by(authority))
    loose.tokens = known.tokens
    assert refusal(loose, sent(qwac)).reason == "dpop.missing"


NONCES = Nonces(lambda: b"s" * 32)


@pytest.mark.parametrize(
    ("said", "usual", "is_needed"),
    [
        (None, NonceRule.OFF, False),
        (None, NonceRule.REQUIRED, True),
        ("required", NonceRule.OFF, True),
        ("off", NonceRule.REQUIRED, False),
    ],
)
def test_the_deployment_says_whether_a_nonce_is_needed(
    known: Known, qwac: Issued, said: str | None, usual: NonceRule, *, is_needed: bool
) -> None:
    """And the settings where it does not."""
    prover, rule = Prover(), ProofRule(seconds=60, giver=NONCES, usual=usual)
    token = replace(next(iter(known.tokens.entries.values())), jkt=prover.jkt)
    route = only_route(ROUTE if said is None else ROUTE | {"dpop_nonce": said})
    asked = sent(qwac, prover.proof("GET", HERE, token=SECRET))
    if is_needed:
        with pytest.raises(Refusal) as refused:
            proof_of(asked, token, route, rule, time.time())
        assert refused.value.reason == "dpop.nonce"
    else:
        assert proof_of(asked, token, route, rule, time.time()) is not None


def test_a_nonce_is_asked_for_and_given(known: Known, qwac: Issued, prover: Prover) -> None:
    """RFC 9449 §9: the refusal brings what the next proof has to hold."""
    known.proofs = ProofRule(seconds=60, giver=NONCES, usual=NonceRule.REQUIRED)
    refused = refusal(known, sent(qwac, prover.proof("GET", HERE, token=SECRET)))
    headers = dict(render(refused, ErrorStyle.XS2A, sandbox_mode=True).headers)

    assert refused.reason == "dpop.nonce"
    assert headers[b"www-authenticate"].startswith(b'DPoP error="use_dpop_nonce"')
    nonce = headers[b"dpop-nonce"].decode()
    assert admitted(known, sent(qwac, prover.proof("GET", HERE, token=SECRET, nonce=nonce))).proof is not None


def test_challenges_name_the_scheme_and_its_algorithms(known: Known, qwac: Issued) -> None:
    """RFC 9449 §7.1."""
    wrong = render(refusal(known, sent(qwac, "x")), ErrorStyle.XS2A, sandbox_mode=True)
    assert dict(wrong.headers)[b"www-authenticate"].startswith(b'DPoP error="invalid_dpop_proof", error_description="')
    assert dict(wrong.headers)[b"www-authenticate"].endswith(b'algs="ES256 Ed25519 EdDSA PS256"')

    unknown = render(refusal(known, sent(qwac, "x", token="unknown")), ErrorStyle.XS2A, sandbox_mode=True)
    assert dict(unknown.headers)[b"www-authenticate"].startswith(b'DPoP error="invalid_token"')

    challenges = [value for name, value in render(Refusal("token.missing"), ErrorStyle.XS2A, sandbox_mode=True).headers
                  if name == b"www-authenticate"]  # fmt: skip
    assert challenges == [b'Bearer realm="psd2"', b'DPoP algs="ES256 Ed25519 EdDSA PS256"']


def test_an_admission_by_proof_does_not_stand(known: Known, qwac: Issued, prover: Prover) -> None:
    """The next request on the connection, the same in every octet that is kept, needs a proof of its own."""
    known.state = 0  # type: ignore[attr-defined]
    first = sent(qwac, prover.proof("GET", HERE, token=SECRET))
    assert standing_admitted(first, known, time.time(), Admission()).proof is not None  # type: ignore[arg-type]
    second = sent(qwac)
    second.connection = first.connection
    with pytest.raises(Refusal) as refused:
        standing_admitted(second, known, time.time(), Admission())  # type: ignore[arg-type]
    assert refused.value.reason == "dpop.missing"
