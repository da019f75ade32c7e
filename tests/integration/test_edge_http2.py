"""The edge over HTTP/2 on real connections: the same service, checks and records as over HTTP/1.1, and what only it allows."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from h2.settings import SettingCodes

from gateway.edge.slow_clients import MOST_SLOW
from tests.support.edge import Answer, EdgeUnderTest, running_edge
from tests.support.http2 import Http2Client, frame, head, http2
from tests.support.patience import IN_FORCE_SECONDS
from tests.support.pki import self_signed
from tests.support.ports import wait_until
from tests.support.scripted_upstream import echo, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

FACES = ("http/1.1", "h2")
SHARE = 1024 * 1024  # of bodies that are held, one holder's


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Start one edge for all tests of this file."""
    with running_edge(
        tmp_path_factory.mktemp("edge"), BODY_SECONDS="3", BRUTE_FORCE_FAILURES="1000000", HELD_BODY_BYTES=str(4 * SHARE)
    ) as edge:
        yield edge


@pytest.fixture
def edge(running: EdgeUnderTest) -> Iterator[EdgeUnderTest]:
    """Lend it; whatever was done to it, it serves afterwards, with the processes that it began with."""
    workers = running.workers()
    running.bank.reply = echo
    yield running
    running.bank.reply = echo
    assert running.get(certificate=running.qwac).status == 200
    assert running.workers() == workers


def asked(edge: EdgeUnderTest, face: str, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    """Send one request over either face."""
    if face == "http/1.1":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return edge.get(path, certificate=edge.qwac, method=method, headers=named, body=body or None)
    with http2(edge, edge.qwac) as client:
        return client.answer(client.ask(head(path, method, **headers), body))


# --- the same on both faces ---


@pytest.mark.parametrize("face", FACES)
def test_the_server_gets_the_same(edge: EdgeUnderTest, face: str) -> None:
    """Method, target, headers and body; what the edge has established; nothing that claims identity."""
    token = edge.register.token(edge.qwac)
    answer = asked(
        edge,
        face,
        "/v1/accounts?withBalance=true",
        authorization=f"Bearer {token}",
        x_request_id="r-1",
        client_cert="forged",
        x_forwarded_for="forged",
        x_sandbox_tpp="forged",
        cookie="a=b",
    )
    seen = dict(answer.json["headers"])
    assert answer.json["line"] == "GET /v1/accounts?withBalance=true HTTP/1.1"
    assert (seen["host"], seen["cookie"], seen["x-request-id"]) == ("localhost", "a=b", "r-1")
    assert seen["x-sandbox-client"] == "client-1"
    assert "authorization" not in seen
    assert "forged" not in str(seen)
    record = edge.record_of(answer)
    assert (record["status"], record["outcome"]) == (200, "admitted")


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("size", [0, 5, 200_000])
def test_bodies_arrive_whole_both_ways(edge: EdgeUnderTest, face: str, size: int) -> None:
    """Larger than a window, and none at all."""
    answer = asked(edge, face, "/v1/consents", "POST", b"x" * size)
    assert answer.status == 200
    assert answer.json["body"] == "x" * size


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("status", "reason", "asking"),
    [
        (400, "http.target", {"path": "/v1/accounts/../consents"}),
        (400, "http.target", {"path": "/v1/consents%2f1"}),
        (400, "http.target", {"path": "/v1//accounts"}),
        (404, "route.unknown", {"path": "/v1/nothing"}),
        (405, "route.method", {"path": "/v1/consents/1", "method": "PATCH"}),
        (401, "token.unknown", {"path": "/v1/accounts", "authorization": "Bearer none"}),
        (400, "http.malformed", {"path": "/v1/consents/1", "a": "\x01"}),
        (431, "http.head_too_large", {"path": "/v1/consents/1", "a": "b" * 40_000}),
    ],
)
def test_refusals_are_the_same(edge: EdgeUnderTest, face: str, status: int, reason: str, asking: dict[str, str]) -> None:
    """With the same record."""
    answer = asked(edge, face, **asking)
    record = edge.record_of(answer)
    assert (answer.status, record["status"], record["reason"]) == (status, status, reason)


@pytest.mark.parametrize("face", FACES)
def test_who_is_not_trusted_is_told_so(edge: EdgeUnderTest, face: str) -> None:
    """Whatever the certificate."""
    if face == "h2":
        with http2(edge, self_signed()) as client:
            answer = client.get()
    else:
        answer = edge.get(certificate=self_signed())
    assert answer.status == 401
    assert edge.record_of(answer)["reason"] == "mtls.untrusted"


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("reply", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n"])
def test_answers_without_a_body_end(edge: EdgeUnderTest, face: str, reply: bytes) -> None:
    """As such, and HEAD's too."""
    edge.bank.reply = raw(reply)
    answer = asked(edge, face, "/v1/consents/1")
    assert (answer.status, answer.body) == (int(reply.split()[1]), b"")


# --- what only HTTP/2 allows ---


def test_many_requests_at_a_time_over_one_connection(edge: EdgeUnderTest) -> None:
    """Each gets its own answer."""
    with http2(edge, edge.qwac) as client:
        numbers = {client.ask(head(f"/v1/consents/{number}")): number for number in range(60)}
        for stream, number in numbers.items():
            assert client.answer(stream).json["line"] == f"GET /v1/consents/{number} HTTP/1.1"


def test_a_connection_opened_for_one_name_serves_no_other(edge: EdgeUnderTest) -> None:
    """421, after which clients ask over another connection (RFC 9110 §7.4); the stream of the right name goes on."""
    with http2(edge, edge.qwac) as client:
        answer = client.answer(client.ask(head("/v1/consents/1", host="other.localhost")))
        assert (answer.status, edge.record_of(answer)["reason"]) == (421, "tls.sni_host_mismatch")
        assert client.get().status == 200


def test_the_front_speaks_it_and_browsers_own_addresses_do_not(edge: EdgeUnderTest) -> None:
    """ALPN chooses HTTP/1.1 there."""
    with http2(edge, port=edge.ports.front) as client:
        assert client.get("/authorize").status == 200
    context = edge.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with edge.connect(context=context, port=edge.ports.portal) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_a_large_answer_waits_for_its_window(edge: EdgeUnderTest) -> None:
    """And arrives whole."""
    body = b"y" * 500_000
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    with http2(edge, edge.qwac) as client:
        assert client.get().body == body


def test_of_large_answers_that_one_tpp_takes_slowly_some_are_broken_off(edge: EdgeUnderTest) -> None:
    """Each keeps a connection to the bank: the others' requests need some too."""
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"y" * 1_000_000)
    with http2(edge, edge.qwac) as client:
        client.frames.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        streams = [client.ask_until_begun(head("/v1/consents/slow")) for _ in range(MOST_SLOW + 1)]
        while all(client.streams[each].reset is None for each in streams):
            client.hear()
        assert sum(client.streams[each].reset is not None for each in streams) == 1
    (broken,) = edge.records(path="/v1/consents/slow", reason="http.too_slow")
    assert "taken slowly already" in broken["detail"]


def test_answers_that_are_not_taken_fill_no_memory(edge: EdgeUnderTest) -> None:
    """One that is here whole keeps no server waiting; of one TPP's so much is held, the others are broken off."""
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 15000\r\n\r\n" + b"y" * 15_000)
    with http2(edge, edge.qwac) as client:
        client.frames.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        streams = [client.ask_until_begun(head("/v1/consents/untaken")) for _ in range(SHARE // 15_000 + 3)]
        while sum(client.streams[each].reset is not None for each in streams) < 3:
            client.hear()
        client.frames.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 65_535})
        client.send()
        held = [client.answer(each) for each in streams if client.streams[each].reset is None]
        assert len(held) == SHARE // 15_000
        assert {(answer.status, len(answer.body)) for answer in held} == {(200, 15_000)}


def test_trust_that_ends_is_felt_on_an_open_connection(edge: EdgeUnderTest) -> None:
    """At the next request, with its reason."""
    revoked = edge.authority.qwac()
    with http2(edge, revoked) as client:
        assert client.get().status == 200
        edge.revoke(revoked)
        answers: list[Answer] = []

        def is_refused() -> bool:
            answers.append(client.get())
            return answers[-1].status != 200

        wait_until(is_refused, seconds=IN_FORCE_SECONDS, what="the refusal")
    last = answers[-1]
    # The connection may have ended before: a client that is parted with asks anew, and is refused.
    assert last.status == 401 or not client.is_open


def test_a_slow_body_is_refused_and_the_others_go_on(edge: EdgeUnderTest) -> None:
    """408 on its own stream."""
    with http2(edge, edge.qwac) as client:
        slow = client.ask(head("/v1/consents", "POST", content_length="10"), b"12345", ends=False)
        assert client.get().status == 200
        assert client.answer(slow).status == 408
        assert client.get().status == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_speaks_it(edge: EdgeUnderTest) -> None:
    """A client that is none of ours."""
    certificate, key = edge.qwac.write(edge.home.path / "clients", "curl")
    command = ["curl", "-sS", "--http2", "--cacert", str(edge.home.trust_bundle), "--cert", certificate, "--key", key]
    url = f"https://localhost:{edge.ports.edge}/v1/consents/1"
    written = subprocess.run(
        [*command, "-o", "/dev/null", "-w", "%{http_version} %{http_code}", url], capture_output=True, check=True
    )
    assert written.stdout in {b"2 200", b"1.1 200"}  # a curl without nghttp2 has no choice


# --- attacks ---


def test_a_rapid_reset_ends_the_connection(edge: EdgeUnderTest) -> None:
    """CVE-2023-44487: ENHANCE_YOUR_CALM, on record."""
    before = len(edge.records(reason="http.flood"))
    with http2(edge, edge.qwac) as client:
        for _ in range(300):
            number = client.frames.get_next_available_stream_id()
            client.frames.send_headers(number, head("/v1/consents/1"), end_stream=True)
            client.frames.reset_stream(number, 8)
        _send_all(client)
        client.hear_to_the_end()
        assert client.goaway in {11, None}  # a reset of the connection may overtake it
    wait_until(lambda: len(edge.records(reason="http.flood")) > before, seconds=IN_FORCE_SECONDS, what="the record")


@pytest.mark.parametrize(
    "flood",
    [
        frame(0x6, b"12345678"),
        frame(0x4),
        frame(0x8, b"\0\0\0\1"),
        frame(0x2, b"\0\0\0\0\1", stream=3),
        frame(0xBE, b"whatever"),
    ],
    ids=["PING", "SETTINGS", "WINDOW_UPDATE", "PRIORITY", "unknown"],
)
def test_a_flood_of_frames_ends_the_connection(edge: EdgeUnderTest, flood: bytes) -> None:
    """On record; others are served meanwhile."""
    before = len(edge.records(reason="http.flood"))
    with http2(edge, edge.qwac) as client:
        client.frames.clear_outbound_data_buffer()
        _send_all(client, flood * 2_000)
        client.hear_to_the_end()
    wait_until(lambda: len(edge.records(reason="http.flood")) > before, seconds=IN_FORCE_SECONDS, what="the record")


def _send_all(client: Http2Client, data: bytes = b"") -> None:
    try:
        client.send(data)
    except OSError:
        client.is_open = False
