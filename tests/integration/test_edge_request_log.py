"""A real edge's request log: whose log shows a refusal, what services tell of theirs, and that nobody can write into it."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chassis.told.fault_orders import HEADER as ORDER
from chassis.told.refusals import HEADER, ToldRefusal, refusal_header
from gateway.audit.explanation import explanation_of, failed_stage
from gateway.audit.reader import AuditFilter, Look, record_of
from gateway.edge.held_answers import MOST_HELD
from gateway.register.model import TppStatus
from tests.support.edge import HOST, EdgeUnderTest, running_edge
from tests.support.pki import NUMBER, Authority
from tests.support.ports import wait_until
from tests.support.scripted_upstream import echo, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.edge import Answer
    from tests.support.pki import Issued

TOLD = ToldRefusal(reason="consent.expired", text="The consent has expired.", hint="Make a new one.", clause="BG IG §14.11")


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    with running_edge(tmp_path_factory.mktemp("edge")) as edge:
        yield edge


@pytest.fixture(autouse=True)
def _as_usual(edge: EdgeUnderTest) -> Iterator[None]:
    yield
    for upstream in (edge.bank, edge.authorization, edge.portal):
        upstream.reply = echo


def answering(status: str, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n{lines}\r\n{{}}".encode()


def told(value: str) -> str:
    return f"{HEADER}: {value}"


def require_logged(edge: EdgeUnderTest, answer: Answer, *, tpp: str | None, reason: str, stage: str) -> dict[str, Any]:
    """Return the record of an answer: found by its id, and in the log of `tpp`."""
    request_id = answer.headers["x-sandbox-request"]
    record, _ = record_of(edge.home.log, request_id)
    assert record is not None
    assert (record["tpp"], record["reason"], failed_stage(record)) == (tpp, reason, stage)
    if tpp is not None:
        assert any(each["request_id"] == request_id for each in Look(edge.home.log, AuditFilter(tpp=tpp)).newest(20))
    return record


def first_refusal(edge: EdgeUnderTest, certificate: Issued) -> Answer:
    """Return the first answer that refuses a certificate: the next one may come from a worker that has not heard yet."""
    answers: list[Answer] = []

    def is_refused() -> bool:
        answers.append(edge.get(certificate=certificate))
        return answers[-1].status == 401

    wait_until(is_refused, seconds=30, what="the refusal")
    return answers[-1]


def ordered(order: str) -> str:
    return f"{ORDER}: {order}"


def test_an_answer_that_a_fault_holds_back_comes_late_and_is_explained(edge: EdgeUnderTest) -> None:
    """It succeeds all the same; neither the order nor what is told reaches the client."""
    late = refusal_header(ToldRefusal(reason="fault.latency", text="Held back.", hint="Clear it.", clause="docs"))
    edge.bank.reply = raw(answering("200 OK", told(late), ordered("delay=400"), "X-Sandbox-Fault: latency; id=1"))
    began = time.monotonic()

    answer = edge.get(certificate=edge.qwac)

    assert time.monotonic() - began >= 0.4
    assert (answer.status, answer.headers["x-sandbox-fault"]) == (200, "latency; id=1")
    assert not {HEADER.lower(), ORDER.lower()} & set(answer.headers)
    record, _ = record_of(edge.home.log, answer.headers["x-sandbox-request"])
    assert record is not None
    explanation = explanation_of(record)
    assert explanation is not None
    assert (record["outcome"], explanation.reason, failed_stage(record)) == ("admitted", "fault.latency", None)


def test_a_tpps_slow_answers_take_no_more_than_their_share(edge: EdgeUnderTest) -> None:
    """Those that wait hold connections; one more is refused with its reason, and what is not held back is answered."""
    edge.bank.reply = raw(answering("200 OK", ordered("delay=60000")))
    with ExitStack() as stack:
        # One more than both workers hold back together.
        waiting = [stack.enter_context(edge.connect(edge.qwac)) for _ in range(2 * MOST_HELD + 1)]
        for connection in waiting:
            connection.sendall(f"GET /v1/consents/1 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            connection.settimeout(0)
        answers: list[bytes] = []

        def is_answered() -> bool:
            answers.extend(_said(waiting))
            return bool(answers)

        wait_until(is_answered, seconds=30, what="the refusal")
        edge.bank.reply = echo
        at_once = edge.get(certificate=edge.qwac)

    assert all(answer.startswith(b"HTTP/1.1 503 ") and b'"fault.too_many_held"' in answer for answer in answers)
    assert at_once.status == 200


def _said(connections: list[ssl.SSLSocket]) -> list[bytes]:
    """Return what those have been answered that have been answered."""
    said = []
    for connection in connections:
        with suppress(ssl.SSLWantReadError):
            said.append(connection.recv(65_536))
    return said


def test_an_answer_that_a_fault_drops_never_comes(edge: EdgeUnderTest) -> None:
    """The connection ends without a byte of an answer, and the log explains it."""
    dropped = refusal_header(ToldRefusal(reason="fault.drop_answer", text="Dropped.", hint="Ask again.", clause="docs"))
    edge.bank.reply = raw(answering("201 Created", told(dropped), ordered("delay=0; drop")))

    with pytest.raises((ConnectionError, http.client.HTTPException, ssl.SSLError)):
        edge.get(certificate=edge.qwac)

    record = next(iter(Look(edge.home.log, AuditFilter(tpp=NUMBER, reason="fault.drop_answer")).newest(1)))
    explanation = explanation_of(record)
    assert explanation is not None
    assert (record["outcome"], record["status"], explanation.text) == ("failed", 201, "Dropped.")


def test_only_the_bank_orders_faults(edge: EdgeUnderTest) -> None:
    """Another server's order is taken out, and not obeyed."""
    edge.authorization.reply = raw(answering("200 OK", ordered("delay=0; drop")))

    answer = edge.get("/introspect", certificate=edge.qwac, method="POST", body=b"")

    assert answer.status == 200
    assert ORDER.lower() not in answer.headers


def test_a_refusal_of_the_bank_is_recorded_as_the_bank_tells_it_and_not_passed_on(edge: EdgeUnderTest) -> None:
    """Reason, text, hint, clause; the answer itself arrives unchanged otherwise."""
    edge.bank.reply = raw(answering("401 Unauthorized", told(refusal_header(TOLD)), "X-Other: kept"))

    answer = edge.get(certificate=edge.qwac)

    assert HEADER.lower() not in answer.headers
    assert (answer.status, answer.headers["x-other"]) == (401, "kept")
    record = require_logged(edge, answer, tpp=NUMBER, reason=TOLD.reason, stage="service")
    assert record["outcome"] == "refused"
    assert record["told"] == {"text": TOLD.text, "hint": TOLD.hint, "clause": TOLD.clause}


def test_a_refusal_that_travels_as_a_redirect_is_recorded(edge: EdgeUnderTest) -> None:
    """The browser has no certificate: the record is nobody's, and is found by its id (RFC 6749 §4.1.2.1)."""
    edge.authorization.reply = raw(answering("303 See Other", "Location: https://tpp.example/cb", told(refusal_header(TOLD))))

    answer = edge.get("/authorize", port=edge.ports.front)

    assert answer.status == 303
    assert HEADER.lower() not in answer.headers
    require_logged(edge, answer, tpp=None, reason=TOLD.reason, stage="service")


def test_a_failure_of_a_service_counts_as_a_failure(edge: EdgeUnderTest) -> None:
    """5xx is nobody's refusal."""
    edge.bank.reply = raw(answering("500 Internal Server Error", told(refusal_header(TOLD))))

    record = edge.record_of(edge.get(certificate=edge.qwac))

    assert record["outcome"] == "failed"


def test_a_client_cannot_tell_a_refusal(edge: EdgeUnderTest) -> None:
    """Its own header reaches neither the service nor the log."""
    answer = edge.get(certificate=edge.qwac, headers={HEADER: refusal_header(TOLD)})

    assert HEADER.lower() not in {name.lower() for name, _ in answer.json["headers"]}
    record = edge.record_of(answer)
    assert (record["outcome"], record["reason"], "told" in record) == ("admitted", None, False)


@pytest.mark.parametrize(
    "values",
    [["not base64!"], ["x" * 7_000], [refusal_header(TOLD)] * 2, [""]],
    ids=["unreadable", "too long", "twice", "empty"],
)
def test_what_no_server_of_ours_writes_is_not_recorded_and_not_passed_on(edge: EdgeUnderTest, values: list[str]) -> None:
    """The answer stands as it is."""
    edge.bank.reply = raw(answering("403 Forbidden", *[told(value) for value in values]))

    answer = edge.get(certificate=edge.qwac)

    assert answer.status == 403
    assert HEADER.lower() not in answer.headers
    record = edge.record_of(answer)
    assert (record["reason"], "told" in record) == (None, False)


def test_a_server_that_judges_no_tpps_tells_no_refusals(edge: EdgeUnderTest) -> None:
    """The portal's word is not taken, and its header does not get out either."""
    edge.portal.reply = raw(answering("404 Not Found", told(refusal_header(TOLD))))

    answer = edge.get("/somewhere", port=edge.ports.portal)

    assert HEADER.lower() not in answer.headers
    assert edge.record_of(answer)["reason"] is None


def test_a_refusal_before_the_certificate_is_judged_stands_in_the_log_of_its_holder(edge: EdgeUnderTest) -> None:
    """A wrong path or method, a wrong host, bytes that are no request."""
    require_logged(edge, edge.get("/v9/x", certificate=edge.qwac), tpp=NUMBER, reason="route.unknown", stage="route")
    wrong_method = edge.get("/v1/accounts", certificate=edge.qwac, method="PUT")
    require_logged(edge, wrong_method, tpp=NUMBER, reason="route.method", stage="route")
    unread = edge.say(b"GET / HTTP/1.1\nHost: localhost\n\n", edge.qwac)
    require_logged(edge, unread, tpp=NUMBER, reason="http.malformed", stage="request")
    twisted = edge.get("/v1//accounts", certificate=edge.qwac)
    require_logged(edge, twisted, tpp=NUMBER, reason="http.target", stage="request")


def test_a_certificate_that_claims_anothers_number_writes_nothing_into_its_log(edge: EdgeUnderTest) -> None:
    """Self-made certificates say whatever they like; whatever is refused of them is nobody's."""
    forged = Authority("Forger").qwac()
    before = len(Look(edge.home.log, AuditFilter(tpp=NUMBER)).newest(1000))

    untrusted = edge.get(certificate=forged)
    require_logged(edge, untrusted, tpp=None, reason="mtls.untrusted", stage="certificate")
    require_logged(edge, edge.get("/v9/x", certificate=forged), tpp=None, reason="route.unknown", stage="route")
    require_logged(edge, edge.say(b"nonsense\r\n\r\n", forged), tpp=None, reason="http.malformed", stage="request")

    assert len(Look(edge.home.log, AuditFilter(tpp=NUMBER)).newest(1000)) == before


def test_a_call_without_a_certificate_is_nobodys(edge: EdgeUnderTest) -> None:
    """Found by its id alone."""
    require_logged(edge, edge.get(), tpp=None, reason="mtls.missing", stage="presented")


def test_refusals_of_a_trusted_issuers_certificate_stand_in_the_log_of_its_tpp(edge: EdgeUnderTest) -> None:
    """Expired, revoked, on the block list: each at its stage."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    expired = edge.authority.qwac(not_before=yesterday - timedelta(days=30), not_after=yesterday)
    require_logged(edge, edge.get(certificate=expired), tpp=NUMBER, reason="mtls.expired", stage="certificate")
    revoked, blocked = edge.authority.qwac(), edge.authority.qwac()
    edge.revoke(revoked)
    edge.register.trust.block(blocked.sha256, "stolen")
    require_logged(edge, first_refusal(edge, revoked), tpp=NUMBER, reason="mtls.revoked", stage="revocation")
    require_logged(edge, first_refusal(edge, blocked), tpp=NUMBER, reason="mtls.blocked", stage="block_list")


def test_refusals_of_tokens_and_roles_stand_at_their_stages(edge: EdgeUnderTest) -> None:
    """Unknown, of another certificate, too narrow."""

    def asked(token: str) -> Answer:
        return edge.get("/v1/accounts", certificate=edge.qwac, token=token)

    require_logged(edge, asked("x"), tpp=NUMBER, reason="token.unknown", stage="token")
    other = edge.register.token(edge.authority.qwac())
    require_logged(edge, asked(other), tpp=NUMBER, reason="token.cnf_mismatch", stage="binding")
    narrow = edge.register.token(edge.qwac, scope="PIS:1")
    require_logged(edge, asked(narrow), tpp=NUMBER, reason="token.scope", stage="scope")


def test_an_unregistered_and_a_blocked_tpp_have_their_own_logs(edge: EdgeUnderTest) -> None:
    """Their certificates are good."""
    unregistered, other = "PSDDE-BAFIN-900001", "PSDDE-BAFIN-900002"
    answer = edge.get(certificate=edge.authority.qwac(number=unregistered))
    require_logged(edge, answer, tpp=unregistered, reason="tpp.unknown", stage="register")
    edge.register.tpp(other, status=TppStatus.BLOCKED)
    answer = edge.get(certificate=edge.authority.qwac(number=other))
    require_logged(edge, answer, tpp=other, reason="mtls.blocked", stage="register")


def test_no_record_holds_a_token_or_a_query(edge: EdgeUnderTest) -> None:
    """Whatever the call."""
    token = edge.register.token(edge.qwac)
    edge.get("/v1/accounts?withBalance=secret-query", certificate=edge.qwac, token=token)

    text = json.dumps(edge.records())
    assert token not in text
    assert "secret-query" not in text
