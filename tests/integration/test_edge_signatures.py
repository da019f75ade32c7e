"""Signed requests through a running edge: what the bank is told of them, what the log says, and what clients can't claim."""

from __future__ import annotations

import time
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from chassis.told.signatures import HEADER, read_signature_header
from gateway.admission.stages import Stage
from gateway.audit.explanation import failed_stage
from psd2.tpp_messages import MessageCode
from tests.support.edge import EdgeUnderTest, read_answer, running_edge
from tests.support.signing import REQUEST_ID, signed_headers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.edge import Answer

CONSENTS = "/v1/consents"
BODY = b'{"access": {}}'
_LARGEST = 256 * 1024
_PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend an edge that judges signatures where they are."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


def posted(edge: EdgeUnderTest, headers: dict[str, str], body: bytes = BODY) -> Answer:
    return edge.get(CONSENTS, certificate=edge.qwac, method="POST", body=body, headers=headers)


def told(answer: Answer) -> list[str]:
    """Return what the bank was told of the signature."""
    return [value for name, value in answer.json["headers"] if name == HEADER.lower()]


def test_the_bank_is_told_of_a_valid_signature(edge: EdgeUnderTest) -> None:
    """In one word; the log names the seal."""
    seal = edge.authority.qseal()
    answer = posted(edge, signed_headers(seal, BODY))

    assert told(answer) == ["valid"]
    record = edge.record_of(answer)
    assert (record["signature"]["verdict"], record["signature"]["certificate"]["sha256"]) == ("valid", seal.sha256)


def test_the_bank_is_told_what_is_wrong_with_a_signature(edge: EdgeUnderTest) -> None:
    """With the code for the TPP and the gateway's words; whether it matters is the bank's to say."""
    answer = posted(edge, signed_headers(edge.authority.qseal(), b"{}"))

    fault = read_signature_header(told(answer)[0])
    assert fault is not None
    assert (fault.code, fault.told.reason) == (MessageCode.SIGNATURE_INVALID, "signature.digest_mismatch")
    assert edge.record_of(answer)["signature"]["verdict"] == "signature.digest_mismatch"


def test_a_client_cannot_claim_a_signature(edge: EdgeUnderTest) -> None:
    """Nor take the verdict on a wrong one away by a second header."""
    claims = {"X-Sandbox-Signature": "valid", "X_Sandbox_Signature": "valid"}

    assert told(posted(edge, claims)) == []
    assert told(posted(edge, signed_headers(edge.authority.qseal(), b"{}") | claims)) != ["valid"]


def test_what_quotes_the_request_stays_readable(edge: EdgeUnderTest) -> None:
    """A tab in the algorithm is no reason for an answer without one."""
    headers = signed_headers(edge.authority.qseal(), BODY)
    headers["signature"] = headers["signature"].replace("ecdsa-sha256", "ecdsa\t\xe9")

    fault = read_signature_header(told(posted(edge, headers))[0])
    assert fault is not None
    assert fault.told.reason == "signature.algorithm"


def test_a_request_without_a_body_is_signed_over_none(edge: EdgeUnderTest) -> None:
    """BG IG §12.1."""
    headers = signed_headers(edge.authority.qseal())

    assert told(edge.get(f"{CONSENTS}/1", certificate=edge.qwac, headers=headers)) == ["valid"]


def test_the_largest_body_is_judged_whole_and_a_larger_one_refused(edge: EdgeUnderTest) -> None:
    """Nothing goes on before all of it has been seen, chunked or not."""
    seal, largest = edge.authority.qseal(), b"x" * _LARGEST

    assert told(posted(edge, signed_headers(seal, largest), largest)) == ["valid"]
    larger = posted(edge, signed_headers(seal, largest + b"x"), largest + b"x")
    assert (larger.status, larger.reason) == (413, "http.body_too_large")


def test_a_body_in_chunks_is_judged_as_one(edge: EdgeUnderTest) -> None:
    """The digest is of the content, not of its framing."""
    lines = signed_headers(edge.authority.qseal(), BODY) | {"Host": "localhost", "Transfer-Encoding": "chunked"}
    head = f"POST {CONSENTS} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with edge.connect(edge.qwac) as connection:
        connection.sendall(head.encode() + b"\r\n")
        for piece in (BODY[:5], BODY[5:]):
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
        assert told(read_answer(connection)) == ["valid"]


def test_revoking_a_seal_is_in_force_at_once(edge: EdgeUnderTest) -> None:
    """By the list that QWACs are looked up in."""
    seal = edge.authority.qseal()
    assert told(posted(edge, signed_headers(seal, BODY))) == ["valid"]
    edge.revoke(seal)

    deadline, verdict = time.monotonic() + _PATIENCE_SECONDS, "valid"
    while verdict == "valid" and time.monotonic() < deadline:
        verdict = told(posted(edge, signed_headers(seal, BODY)))[0]
    fault = read_signature_header(verdict)
    assert fault is not None
    assert fault.told.reason == "signature.certificate_revoked"


def test_a_deployment_can_demand_signatures_itself(tmp_path: Path) -> None:
    """Then the edge refuses, the log shows the stage, and the bank hears of nothing."""
    deployments = tmp_path / "deployments.toml"
    shipped = (files("gateway.policies") / "deployments.toml").read_text("utf-8")
    deployments.write_text(shipped.replace('signature = "optional"', 'signature = "required"'))
    with running_edge(tmp_path / "home", CONFIGURATION=str(deployments), EDGE_WORKERS="1") as strict:
        seal = strict.authority.qseal()
        unsigned, wrong = posted(strict, {}), posted(strict, signed_headers(seal, b"{}"))
        assert told(posted(strict, signed_headers(seal, BODY))) == ["valid"]

        assert (unsigned.status, unsigned.code, unsigned.reason) == (401, "SIGNATURE_MISSING", "signature.missing")
        assert (wrong.status, wrong.code, wrong.reason) == (401, "SIGNATURE_INVALID", "signature.digest_mismatch")
        assert wrong.headers["x-request-id"] == REQUEST_ID
        assert failed_stage(strict.record_of(wrong)) is Stage.SIGNATURE
        assert len(strict.bank.received) == 1
