"""What the edge refuses by certificate, route and host, over real TLS: each wrong in exactly one way, and how it is told."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.register.model import TppStatus
from psd2.roles import PspRole
from tests.support.edge import Answer, EdgeUnderTest, running_edge
from tests.support.patience import IN_FORCE_SECONDS
from tests.support.pki import DAY, Authority, Issued, self_signed
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = dt.datetime.now(dt.UTC)
BOTH_VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
ACCOUNTS = "/v1/accounts"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge to all tests of this file."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


# --- the certificate ---


@BOTH_VERSIONS
def test_no_certificate(edge: EdgeUnderTest, version: ssl.TLSVersion) -> None:
    """CERTIFICATE_MISSING, over HTTP and not as a dead handshake."""
    answer = edge.get(ACCOUNTS, version=version)
    assert (answer.status, answer.code, answer.reason) == (401, "CERTIFICATE_MISSING", "mtls.missing")
    assert "--cert" in answer.json["hint"]
    assert answer.json["clause"]


def certificates(edge: EdgeUnderTest) -> dict[str, tuple[Issued, str, str]]:
    """Return certificates that are wrong in one way, with the code and reason that each deserves."""
    good = edge.authority
    return {
        "self-signed": (self_signed(), "CERTIFICATE_INVALID", "mtls.untrusted"),
        "foreign CA": (Authority("Foreign").qwac(), "CERTIFICATE_INVALID", "mtls.untrusted"),
        "expired": (good.qwac(not_before=NOW - 60 * DAY, not_after=NOW - DAY), "CERTIFICATE_EXPIRED", "mtls.expired"),
        "not yet valid": (good.qwac(not_before=NOW + DAY), "CERTIFICATE_INVALID", "mtls.not_yet_valid"),
        "server only": (good.qwac(usages=[ExtendedKeyUsageOID.SERVER_AUTH]), "CERTIFICATE_INVALID", "mtls.eku"),
        "QSealC": (good.qseal(), "CERTIFICATE_INVALID", "mtls.not_a_qwac"),
        "no statements": (good.plain(), "CERTIFICATE_INVALID", "mtls.not_a_qwac"),
        "broken statements": (good.qwac(statements=b"\x30\x05\x00"), "CERTIFICATE_INVALID", "mtls.malformed"),
        "unregistered TPP": (good.qwac(number="PSDDE-BAFIN-999999"), "CERTIFICATE_INVALID", "tpp.unknown"),
    }


FAULTS = [
    "self-signed",
    "foreign CA",
    "expired",
    "not yet valid",
    "server only",
    "QSealC",
    "no statements",
    "broken statements",
    "unregistered TPP",
]


@BOTH_VERSIONS
@pytest.mark.parametrize("fault", FAULTS)
def test_a_certificate_that_is_not_good(edge: EdgeUnderTest, fault: str, version: ssl.TLSVersion) -> None:
    """Each fault is answered over HTTP with its own reason, and recorded."""
    certificate, code, reason = certificates(edge)[fault]
    answer = edge.get(ACCOUNTS, certificate=certificate, version=version)
    assert (answer.status, answer.code, answer.reason) == (401, code, reason)
    record = edge.record_of(answer)
    assert (record["outcome"], record["reason"], record["status"]) == ("refused", reason, 401)
    assert record["certificate"]["sha256"]


def soon(edge: EdgeUnderTest, certificate: Issued, status: int) -> Answer:
    """Return how a certificate fares after a change, once every worker has heard of it."""
    answers: list[Answer] = []

    def is_so() -> bool:
        answers[:] = [edge.get(certificate=certificate) for _ in range(8)]
        return {answer.status for answer in answers} == {status}

    wait_until(is_so, seconds=IN_FORCE_SECONDS, what=f"{status} from every worker")
    return answers[0]


def test_a_broken_chain(edge: EdgeUnderTest) -> None:
    """The issuing CA may not issue: the path length of one above forbids it, though its own issuer would permit it."""
    one_more = Authority("One further", parent=edge.authority, path_length=1)
    last = Authority("Last", parent=one_more)
    below = Authority("Further", parent=last)
    edge.register.trust.replace("tpp", anchors=[edge.authority.pem], intermediates=[one_more.pem, last.pem, below.pem])
    certificate = below.qwac()

    def is_so() -> bool:
        # Until a worker has heard of these CAs, the certificate is untrusted, which is a 401 too.
        return {edge.get(certificate=certificate).reason for _ in range(8)} == {"mtls.chain"}

    wait_until(is_so, seconds=IN_FORCE_SECONDS, what="mtls.chain from every worker")


def test_a_revoked_certificate(edge: EdgeUnderTest) -> None:
    """CERTIFICATE_REVOKED, soon after the CRL."""
    certificate = edge.authority.qwac()
    assert edge.get(certificate=certificate).status == 200
    edge.revoke(certificate)
    answer = soon(edge, certificate, 401)
    assert (answer.status, answer.code, answer.reason) == (401, "CERTIFICATE_REVOKED", "mtls.revoked")


def test_a_blocked_certificate(edge: EdgeUnderTest) -> None:
    """CERTIFICATE_BLOCKED, soon after the operator's word; freed again likewise."""
    certificate = edge.authority.qwac()
    edge.register.trust.block(certificate.sha256, "stolen")
    answer = soon(edge, certificate, 401)
    assert (answer.status, answer.code, answer.reason) == (401, "CERTIFICATE_BLOCKED", "mtls.blocked")
    edge.register.trust.unblock(certificate.sha256)
    soon(edge, certificate, 200)


def test_a_blocked_tpp(edge: EdgeUnderTest) -> None:
    """Every certificate of it is refused; a TPP that was unknown before is let in once it is registered."""
    number = "PSDDE-BAFIN-200001"
    certificate = edge.authority.qwac(number=number)
    assert edge.get(certificate=certificate).reason == "tpp.unknown"
    edge.register.tpp(number)
    soon(edge, certificate, 200)
    edge.register.tpp(number, status=TppStatus.BLOCKED)
    answer = soon(edge, certificate, 401)
    assert (answer.status, answer.code, answer.reason) == (401, "CERTIFICATE_BLOCKED", "mtls.blocked")


def test_the_refusal_of_an_unregistered_tpp_says_how_to_register(edge: EdgeUnderTest) -> None:
    """A good certificate, and nobody knows its TPP."""
    answer = edge.get(certificate=edge.authority.qwac(number="PSDDE-BAFIN-999998"))
    assert "sandbox tpp register" in answer.json["hint"]


def test_a_role_that_the_certificate_does_not_grant(edge: EdgeUnderTest) -> None:
    """An AISP tries a payment."""
    certificate = edge.authority.qwac(roles=frozenset({PspRole.AI}))
    answer = edge.get("/v1/payments/sepa-credit-transfers", certificate=certificate, method="POST", body=b"{}")
    assert (answer.status, answer.code, answer.reason) == (401, "ROLE_INVALID", "psd2.role")
    assert "PSP_PI" in answer.json["tppMessages"][0]["text"]


# --- route and host ---


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/accounts/", "/v1", "/", "/internal/interactions", "/authorize", "/psu/1"])
def test_an_unknown_path(edge: EdgeUnderTest, path: str) -> None:
    """What is not listed does not pass, browser pages and internal paths included."""
    assert edge.get(path, certificate=edge.qwac).status == 404
    assert not [request for request in edge.bank.received if request.line.split(" ")[1] == path]


def test_a_method_that_the_path_does_not_have(edge: EdgeUnderTest) -> None:
    """405 with the methods it has."""
    answer = edge.get(ACCOUNTS, certificate=edge.qwac, method="DELETE")
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "SERVICE_INVALID", "GET")


def test_another_host_than_in_tls(edge: EdgeUnderTest) -> None:
    """421: the connection was opened for another name (RFC 9110 §7.4)."""
    with edge.connect(edge.qwac, server_name="other.localhost") as connection:
        answer = edge.over(connection)
        assert (answer.status, answer.reason) == (421, "tls.sni_host_mismatch")
        assert edge.over(connection, headers={"Host": "OTHER.localhost:8443"}).status == 200


@pytest.mark.parametrize("host", ["", "a b", "x/y", "local_host@evil", "localhost:port"])
def test_a_host_that_is_none(edge: EdgeUnderTest, host: str) -> None:
    """400 (RFC 9112 §3.2)."""
    answer = edge.get(certificate=edge.qwac, headers={"Host": host})
    assert (answer.status, answer.reason) == (400, "http.host")


# --- how refusals look ---


def test_oauth_endpoints_answer_oauth_errors(edge: EdgeUnderTest) -> None:
    """RFC 6749 §5.2."""
    answer = edge.get("/token", method="POST", body=b"grant_type=client_credentials")
    assert (answer.status, answer.json["error"], answer.reason) == (401, "invalid_client", "mtls.missing")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_other_paths_answer_problem_details(edge: EdgeUnderTest) -> None:
    """RFC 9457."""
    answer = edge.get("/sandbox/v1/data")
    assert (answer.status, answer.json["code"], answer.json["status"]) == (401, "mtls.missing", 401)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_refusal_carries_the_tpps_request_id_and_ours(edge: EdgeUnderTest) -> None:
    """BG IG §4.12 asks for the first; the second finds the audit record."""
    answer = edge.get(ACCOUNTS, headers={"X-Request-ID": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"})
    assert answer.headers["x-request-id"] == "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"
    assert edge.record_of(answer)["tpp_request_id"] == "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"


def test_a_refused_certificate_of_a_trusted_issuer_is_filed_under_its_tpp(edge: EdgeUnderTest) -> None:
    """The developer finds it in the request log; a stranger cannot write into another TPP's log."""
    expired = edge.authority.qwac(not_before=NOW - 60 * DAY, not_after=NOW - DAY)
    assert edge.record_of(edge.get(ACCOUNTS, certificate=expired))["tpp"] == "PSDDE-BAFIN-100001"
    assert edge.record_of(edge.get(ACCOUNTS, certificate=Authority("Foreign").qwac()))["tpp"] is None


def test_no_record_holds_a_token_or_a_query(edge: EdgeUnderTest) -> None:
    """Neither in clear nor in full as a hash."""
    token = edge.register.token(edge.qwac)
    edge.get(f"{ACCOUNTS}?code=secret-code", certificate=edge.qwac, token=token)
    edge.get(f"/v1/nothing?code=secret-code&token={token}", certificate=edge.qwac, token=token)
    text = "".join(path.read_text() for path in edge.home.log.glob("*.jsonl"))
    assert token not in text
    assert "secret-code" not in text
