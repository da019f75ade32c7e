"""Revocation by responder, and stores beside the TPPs' own, on a running edge and on connections that stay open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.configuration.changes import Change
from gateway.configuration.service import Configuration
from gateway.configuration.store import SqlConfigurationStore
from gateway.kinds import KINDS
from psd2.clock import SystemClock
from tests.support.edge import EdgeUnderTest, running_edge
from tests.support.edge_visitors import answers_of_all_workers
from tests.support.ocsp import HttpAuthority, Responder, signer_of
from tests.support.pki import Authority
from tests.support.ports import wait_until
from tests.support.signing import signed_headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.pki import Issued

SECONDS = 30


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.fixture(scope="module")
def responder(edge: EdgeUnderTest) -> Iterator[HttpAuthority]:
    """Lend the responder of the TPPs' authority."""
    server = HttpAuthority(Responder(edge.authority, signer_of(edge.authority)))
    yield server
    server.stop()


def put(edge: EdgeUnderTest, store: str, body: Mapping[str, Any] | None) -> None:
    configuration = Configuration(kinds=KINDS, store=SqlConfigurationStore(edge.register.engine), clock=SystemClock())
    configuration.apply([Change(kind="trust-stores", name=store, body=body)])


def is_answered(edge: EdgeUnderTest, certificate: Issued, wanted: int | str) -> bool:
    """Tell whether requests get this status or reason from both workers."""
    answers = answers_of_all_workers(edge, certificate)
    return all(wanted in {answer.status, answer.json.get("reason")} for answer in answers)


def by_ocsp(server: HttpAuthority, **rules: object) -> dict[str, Any]:
    ocsp = {"responder": server.url("/ocsp"), "refresh_seconds": 5, "retry_seconds": 1, **rules}
    return {"revocation": {"method": "ocsp", "ocsp": ocsp, "internal_hosts": [server.host]}}


def methods(edge: EdgeUnderTest, certificate: Issued) -> set[str | None]:
    """Return how either worker has found out about revocation."""
    answers = answers_of_all_workers(edge, certificate)
    assert {answer.status for answer in answers} == {200}
    return {edge.record_of(answer)["revocation"]["method"] for answer in answers}


def test_a_revocation_that_a_responder_tells_ends_an_open_connection(edge: EdgeUnderTest, responder: HttpAuthority) -> None:
    """As soon as an answer says so, on both workers, without a request that asked for it."""
    assert responder.responder is not None
    leaf, other = edge.authority.qwac(), edge.authority.qwac()
    put(edge, "tpp", by_ocsp(responder))
    wait_until(lambda: methods(edge, leaf) == {"ocsp"}, seconds=SECONDS, what="the rules are in force")
    connections = [edge.connect(leaf) for _ in range(4)]
    assert {edge.over(connection).status for connection in connections} == {200}

    responder.responder.revoked.add(leaf.certificate.serial_number)

    for connection in connections:
        connection.settimeout(SECONDS)
        # The edge parts with it by itself, since the connection's certificate is in use.
        assert connection.recv(1) == b""
    wait_until(lambda: is_answered(edge, leaf, "mtls.revoked"), seconds=SECONDS, what="both workers know")
    answer = edge.get(certificate=leaf)
    assert responder.host in str(edge.record_of(answer)["detail"])
    assert edge.get(certificate=other).status == 200


def test_a_seal_is_asked_about_too(edge: EdgeUnderTest, responder: HttpAuthority) -> None:
    """Although its signature is judged only when the body is here."""
    leaf, seal, revoked = edge.authority.qwac(), edge.authority.qseal(), edge.authority.qseal()
    assert responder.responder is not None
    responder.responder.revoked.add(revoked.certificate.serial_number)
    put(edge, "tpp", by_ocsp(responder))
    wait_until(lambda: methods(edge, leaf) == {"ocsp"}, seconds=SECONDS, what="the rules are in force")

    verdicts = []
    for each in (seal, revoked):
        headers = signed_headers(each, b"{}")
        answer = edge.get("/v1/consents", certificate=leaf, method="POST", body=b"{}", headers=headers)
        verdicts.append(edge.record_of(answer)["signature"]["verdict"])
    assert verdicts == ["valid", "signature.certificate_revoked"]


def test_a_silent_responder_is_judged_by_hard_or_soft_fail(edge: EdgeUnderTest, responder: HttpAuthority) -> None:
    """Others are served meanwhile; the wait has an end, which may come later than the time to ask again (`retry_seconds`)."""
    leaf, known = edge.authority.qwac(), edge.authority.qwac()
    put(edge, "tpp", by_ocsp(responder, deadline_seconds=2, refresh_seconds=3_600))
    wait_until(lambda: methods(edge, known) == {"ocsp"}, seconds=SECONDS, what="the rules are in force")
    responder.is_silent.set()
    try:
        answer = edge.get(certificate=leaf)
        assert (answer.status, answer.reason) == (401, "mtls.revocation_unknown")
        assert "no OCSP answer" in str(edge.record_of(answer)["detail"])

        rules = by_ocsp(responder, deadline_seconds=2, refresh_seconds=3_600)
        rules["revocation"]["unknown"] = "soft"
        put(edge, "tpp", rules)
        wait_until(lambda: edge.get(certificate=leaf).status == 200, seconds=SECONDS, what="soft fail is in force")
    finally:
        responder.is_silent.clear()
        responder.released.set()


def test_a_bundle_is_added_and_taken_away_while_connections_stay_open(edge: EdgeUnderTest) -> None:
    """Whoever leaned on it is parted with; whom the portal delivered stays."""
    partner = Authority("Partner QTSP")
    leaf, own = partner.qwac(), edge.authority.qwac()
    bundle = {"bundles": {"partner": {"anchors": [partner.pem]}}}
    assert edge.get(certificate=leaf).reason == "mtls.untrusted"
    put(edge, "tpp", bundle | {"revocation": {"unknown": "soft"}})
    wait_until(lambda: is_answered(edge, leaf, 200), seconds=SECONDS, what="the bundle is in force")
    connection, others = edge.connect(leaf), edge.connect(own)
    assert (edge.over(connection).status, edge.over(others).status) == (200, 200)
    put(edge, "tpp", {"revocation": {"unknown": "soft"}})

    connection.settimeout(SECONDS)
    assert connection.recv(1) == b""
    assert edge.over(others).status == 200
    wait_until(lambda: is_answered(edge, leaf, "mtls.untrusted"), seconds=SECONDS, what="both workers know")
