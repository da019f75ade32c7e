"""Access tokens at the edge, over real TLS: each wrong in exactly one way, and the proof beside one that is bound to a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.dpop import Prover
from tests.support.edge import HOST, Answer, EdgeUnderTest, running_edge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.pki import Issued

ACCOUNTS = "/v1/accounts"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge to all tests of this file."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


# --- the token ---


def test_without_a_token_the_bank_hears_of_none(edge: EdgeUnderTest) -> None:
    """Whether it needs one is the bank's to say; whatever the client claims of a token is taken out."""
    claims = {"X-Sandbox-Client": "client-1", "X-Sandbox-Scope": "AIS:consent-1", "X-Sandbox-Subject": "anna.weber"}
    answer = edge.get(ACCOUNTS, certificate=edge.qwac, headers=claims)
    told = {name for name, _ in answer.json["headers"] if name.startswith("x-sandbox-")}
    of_tpp = {"x-sandbox-certificate", "x-sandbox-tpp", "x-sandbox-roles"}
    assert told == {*of_tpp, "x-sandbox-listener", "x-sandbox-address", "x-sandbox-request"}


def test_a_token_elsewhere_than_in_its_header_is_none(edge: EdgeUnderTest) -> None:
    """Neither in the query, which logs and histories keep, nor in a form (RFC 6750 §2.2, §2.3; FAPI 2.0 SP §5.3.3)."""
    parameter = f"access_token={edge.register.token(edge.qwac)}"
    form = {"method": "POST", "body": parameter.encode(), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    answers = [
        edge.get(f"{ACCOUNTS}?{parameter}", certificate=edge.qwac),
        edge.get("/v1/consents", certificate=edge.qwac, **form),
    ]
    assert [answer.status for answer in answers] == [200, 200]  # of the bank behind it here, which asks for none
    assert not [name for answer in answers for name, _ in answer.json["headers"] if name == "x-sandbox-client"]


@pytest.mark.parametrize(
    ("header", "status", "reason"),
    [
        ("Bearer nobody-has-issued-this", 401, "token.unknown"),
        ("Basic dXNlcjpwYXNz", 400, "token.malformed"),
        ("Bearer two tokens", 400, "token.malformed"),
        ("Bearer " + "x" * 600, 400, "token.malformed"),
    ],
)
def test_a_token_that_is_none(edge: EdgeUnderTest, header: str, status: int, reason: str) -> None:
    """Not ours, or no Bearer token at all."""
    answer = edge.get(ACCOUNTS, certificate=edge.qwac, headers={"Authorization": header})
    assert (answer.status, answer.reason) == (status, reason)


def assert_invalid_token(edge: EdgeUnderTest, token: str, code: str, reason: str, certificate: Issued | None = None) -> None:
    answer = edge.get(ACCOUNTS, certificate=certificate or edge.qwac, token=token)
    assert (answer.status, answer.code, answer.reason) == (401, code, reason)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_an_expired_token(edge: EdgeUnderTest) -> None:
    """Its lifetime is over."""
    assert_invalid_token(edge, edge.register.token(edge.qwac, lifetime_seconds=-1), "TOKEN_EXPIRED", "token.expired")


def test_a_revoked_token(edge: EdgeUnderTest) -> None:
    """Revoked before it was first used."""
    assert_invalid_token(edge, edge.register.token(edge.qwac, revoked=True), "TOKEN_INVALID", "token.revoked")


def test_a_token_over_another_certificate(edge: EdgeUnderTest) -> None:
    """Also where it belongs to the same TPP: the token is bound to one certificate (RFC 8705 §3)."""
    other = edge.authority.qwac()
    assert_invalid_token(edge, edge.register.token(other), "TOKEN_INVALID", "token.cnf_mismatch")


def test_a_token_of_another_tpp(edge: EdgeUnderTest) -> None:
    """Taken from one TPP, presented by another."""
    number = "PSDDE-BAFIN-200002"
    edge.register.tpp(number)
    stolen = edge.register.token(edge.authority.qwac(number=number), number=number)
    assert_invalid_token(edge, stolen, "TOKEN_INVALID", "token.cnf_mismatch")


def test_a_token_bound_to_the_certificate_and_issued_to_another_tpp(edge: EdgeUnderTest) -> None:
    """The binding holds, the owner does not."""
    token = edge.register.token(edge.qwac, number="PSDDE-BAFIN-200003")
    assert_invalid_token(edge, token, "TOKEN_INVALID", "token.other_tpp")


def test_a_token_whose_client_is_gone(edge: EdgeUnderTest) -> None:
    """Nothing revoked the token, and still it opens nothing."""
    assert_invalid_token(edge, edge.register.token(edge.qwac, client_id="nobody"), "TOKEN_INVALID", "token.client_inactive")


def test_a_token_without_any_certificate(edge: EdgeUnderTest) -> None:
    """Carried away from its certificate: invalid_token, not just a missing certificate."""
    answer = edge.get(ACCOUNTS, token=edge.register.token(edge.qwac))
    assert (answer.status, answer.code, answer.reason) == (401, "TOKEN_INVALID", "token.cnf_without_certificate")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("scope", ["PIS:payment-1", "AIS:", "AISX:1", "openid"])
def test_a_token_without_the_scope(edge: EdgeUnderTest, scope: str) -> None:
    """403 with insufficient_scope (RFC 6750 §3.1)."""
    answer = edge.get(ACCOUNTS, certificate=edge.qwac, token=edge.register.token(edge.qwac, scope=scope))
    assert (answer.status, answer.code, answer.reason) == (403, "TOKEN_INVALID", "token.scope")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


# --- the proof beside a token that is bound to a key ---


def with_proof(edge: EdgeUnderTest, token: str, proof: str, path: str = ACCOUNTS) -> Answer:
    """Ask over a new connection, and so over any worker."""
    return edge.get(path, certificate=edge.qwac, headers={"Authorization": f"DPoP {token}", "DPoP": proof})


def test_a_proof_passes_once_over_all_workers(edge: EdgeUnderTest) -> None:
    """RFC 9449 §11.1: on whichever worker it comes again; the next one passes."""
    prover = Prover()
    token = edge.register.token(edge.qwac, jkt=prover.jkt)
    address = f"https://{HOST}{ACCOUNTS}"
    proof = prover.proof("GET", address, token=token)

    assert with_proof(edge, token, proof).status == 200
    refusals = {(again.status, again.reason) for again in (with_proof(edge, token, proof) for _ in range(6))}
    assert refusals == {(401, "dpop.replayed")}
    assert with_proof(edge, token, prover.proof("GET", address, token=token)).status == 200


def test_a_token_without_its_key_opens_nothing(edge: EdgeUnderTest) -> None:
    """RFC 9449 §7.1, over the TPP's own certificate: the log names the reason, and holds neither token nor proof."""
    prover = Prover()
    token = edge.register.token(edge.qwac, jkt=prover.jkt)
    proof = Prover().proof("GET", f"https://{HOST}{ACCOUNTS}", token=token)
    stolen = with_proof(edge, token, proof)

    assert (stolen.status, stolen.code, stolen.reason) == (401, "TOKEN_INVALID", "token.jkt_mismatch")
    assert stolen.headers["www-authenticate"].startswith('DPoP error="invalid_token"')
    record = edge.record_of(stolen)
    assert record["reason"] == "token.jkt_mismatch"
    assert token not in str(record)
    assert proof not in str(record)
    assert edge.get(ACCOUNTS, certificate=edge.qwac, token=token).reason == "token.dpop_as_bearer"


def test_a_dry_run_uses_no_proof_up(edge: EdgeUnderTest) -> None:
    """Whoever asks why a request would be refused may send it all the same."""
    prover = Prover()
    token = edge.register.token(edge.qwac, jkt=prover.jkt)
    proof = prover.proof("GET", f"https://{HOST}{ACCOUNTS}", token=token)
    question = {"method": "GET", "path": ACCOUNTS, "headers": {"DPoP": proof}}
    headers = {"Authorization": f"DPoP {token}", "Content-Type": "application/json"}
    explained = edge.get("/explain", method="POST", certificate=edge.qwac, headers=headers, body=json.dumps(question).encode())

    assert explained.status == 200, explained.body
    verdicts = {each["check"]: each["verdict"] for each in explained.json["checks"]}
    assert verdicts["binding"] == "passed"
    assert with_proof(edge, token, proof).status == 200
