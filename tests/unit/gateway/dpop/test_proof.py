"""Proofs of possession: RFC 9449's own example, and proofs that are wrong in exactly one way."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc.jwk import ECKey

from gateway.dpop.faults import ProofFault
from gateway.dpop.proof import Occasion, read_proof, require_made_for
from tests.support.dpop import ALGORITHMS, Prover, rsa_key

ADDRESS = "https://localhost:8443/v1/accounts"
TOKEN = "an-access-token"
# RFC 9449 §4.1 figure 2, and §7.1 figure 14 with its access token.
RFC_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZld"
    "WQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2"
    "MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-"
    "FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RFC_JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


@pytest.fixture(scope="module")
def prover() -> Prover:
    """Lend somebody with a key."""
    return Prover()


def judged(proof: str, **changes: Any) -> None:
    """Judge a proof for a `GET` of `ADDRESS` with `TOKEN`."""
    wanted = {"method": "GET", "address": ADDRESS, "now": time.time(), "seconds": 60.0, "token": TOKEN.encode()}
    require_made_for(read_proof([proof]), Occasion(**wanted | changes))


def reason_of(proof: str, **changes: Any) -> str:
    """Return why a proof is refused."""
    with pytest.raises(ProofFault) as refused:
        judged(proof, **changes)
    assert len(refused.value.hint) > 20
    assert refused.value.text.startswith("DPoP: ")
    return refused.value.reason


def test_the_example_of_the_rfc_is_read() -> None:
    """RFC 9449 §4.1; its key's thumbprint stands in §6.1."""
    proof = read_proof([RFC_PROOF])

    assert (proof.jkt, proof.jti, proof.htm) == (RFC_JKT, "-BwC3ESc6acc2lTc", "POST")
    occasion = Occasion(method="POST", address="https://server.example.com/token", now=1562262616.0, seconds=60)
    require_made_for(proof, occasion)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_algorithm_that_is_named_is_taken(alg: str) -> None:
    """FAPI 2.0 SP §5.4.1."""
    judged(Prover.of_algorithm(alg).proof("GET", ADDRESS, token=TOKEN))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"htm": "POST"}, "dpop.htm"),
        ({"htm": "get"}, "dpop.htm"),
        ({"htm": None}, "dpop.htm"),
        ({"htu": "https://localhost:8443/v1/accounts/1"}, "dpop.htu"),
        ({"htu": "https://localhost/v1/accounts"}, "dpop.htu"),
        ({"htu": "http://localhost:8443/v1/accounts"}, "dpop.htu"),
        ({"htu": "/v1/accounts"}, "dpop.htu"),
        ({"htu": None}, "dpop.htu"),
        ({"iat": None}, "dpop.iat"),
        ({"iat": "now"}, "dpop.iat"),
        ({"jti": None}, "dpop.jti"),
        ({"jti": 7}, "dpop.jti"),
        ({"jti": ""}, "dpop.jti"),
        ({"jti": "j" * 257}, "dpop.jti"),
        ({"ath": None}, "dpop.ath"),
        ({"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}, "dpop.ath"),
        ({"ath": "ä"}, "dpop.ath"),
        ({"nonce": 7}, "dpop.malformed"),
    ],
)
def test_a_claim_that_is_wrong_is_named(prover: Prover, changes: dict[str, Any], reason: str) -> None:
    """RFC 9449 §4.3: each check has its own reason."""
    assert reason_of(prover.proof("GET", ADDRESS, token=TOKEN, **changes)) == reason


def test_a_proof_is_good_for_a_short_time(prover: Prover) -> None:
    """RFC 9449 §4.3 check 11: not old, and not from the future."""
    now = 1_800_000_000
    proof = prover.proof("GET", ADDRESS, token=TOKEN, iat=now)

    judged(proof, now=now + 60)
    judged(proof, now=now - 10)
    assert reason_of(proof, now=now + 61) == "dpop.iat"
    assert reason_of(proof, now=now - 11) == "dpop.iat"


def test_a_proof_may_say_itself_from_when_to_when_it_is_good(prover: Prover) -> None:
    """RFC 7519 §4.1.4, §4.1.5: whoever says so is held to it, clocks being 10 s apart."""
    now = int(time.time())
    proof = prover.proof("GET", ADDRESS, token=TOKEN, iat=now, nbf=now + 10, exp=now + 20)

    judged(proof, now=now)
    judged(proof, now=now + 29)
    assert reason_of(proof, now=now - 1) == "dpop.iat"
    assert reason_of(proof, now=now + 30) == "dpop.iat"
    assert reason_of(prover.proof("GET", ADDRESS, token=TOKEN, exp="soon")) == "dpop.malformed"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"typ": "JWT"}, "dpop.typ"),
        ({"typ": None}, "dpop.typ"),
        ({"jwk": None}, "dpop.jwk"),
        ({"jwk": {"kty": "oct", "k": "c2VjcmV0"}}, "dpop.jwk"),
        ({"jwk": ECKey.generate_key("P-384", private=True).as_dict(private=False)}, "dpop.jwk"),
        ({"jwk": rsa_key().as_dict(private=False)}, "dpop.jwk"),
        ({"jwk": ECKey.generate_key("P-256", private=True).as_dict(private=False)}, "dpop.signature"),
        ({"jku": "https://evil.example/keys"}, "dpop.malformed"),
    ],
)
def test_a_header_that_is_wrong_is_named(prover: Prover, header: dict[str, Any], reason: str) -> None:
    """RFC 9449 §4.3 checks 4 to 7."""
    assert reason_of(prover.proof("GET", ADDRESS, token=TOKEN, header=header)) == reason


def test_a_proof_never_brings_its_private_key(prover: Prover) -> None:
    """RFC 9449 §4.3 check 7: whoever sees it could sign."""
    private = dict(prover.key.as_dict(private=True))
    assert reason_of(prover.proof("GET", ADDRESS, token=TOKEN, header={"jwk": private})) == "dpop.jwk"


def test_other_algorithms_are_refused() -> None:
    """RFC 9449 §4.3 check 5; RS256 is no algorithm of FAPI 2.0 (SP §5.4.1)."""
    assert reason_of(Prover(rsa_key(), "RS256").proof("GET", ADDRESS, token=TOKEN)) == "dpop.alg"


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "a.b.c.d.e", "ä.b.c", "e30." * 2000])
def test_what_is_no_proof_at_all(text: str) -> None:
    """RFC 9449 §4.3 check 2."""
    assert reason_of(text).startswith(("dpop.malformed", "dpop.typ"))


@pytest.mark.parametrize(("fields", "reason"), [([], "dpop.missing"), ([RFC_PROOF, RFC_PROOF], "dpop.repeated")])
def test_there_is_exactly_one(fields: list[str], reason: str) -> None:
    """RFC 9449 §4.3 check 1."""
    with pytest.raises(ProofFault) as refused:
        read_proof(fields)
    assert refused.value.reason == reason


def test_a_use_is_that_of_one_key_and_one_jti(prover: Prover) -> None:
    """The same jti at another address is the same use: a key makes each only once."""
    one = read_proof([prover.proof("GET", ADDRESS, jti="1")])
    elsewhere = read_proof([prover.proof("POST", "https://elsewhere.example/", jti="1")])
    others = read_proof([Prover().proof("GET", ADDRESS, jti="1")])

    assert one.use == elsewhere.use
    assert one.use != others.use
