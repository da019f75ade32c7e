"""Upstreams of documents: who they must prove to be, what they are told, and what becomes of targets that fail."""

from __future__ import annotations

import base64
import itertools
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from chassis.told import fault_orders, refusals
from chassis.told.fault_orders import FaultOrder
from chassis.told.refusals import ToldRefusal, refusal_header
from gateway.configuration.changes import Change
from gateway.configuration.service import Configuration
from gateway.configuration.store import SqlConfigurationStore
from gateway.kinds import KINDS
from psd2.clock import SystemClock
from tests.support.edge import EdgeUnderTest, running_edge
from tests.support.foreign_upstream import Foreign, foreign
from tests.support.metrics import samples_at
from tests.support.pki import Authority
from tests.support.ports import wait_until
from tests.support.scripted_upstream import ScriptedUpstream, echo, raw
from tests.support.stored_certificates import version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.edge import Answer
    from tests.support.pki import Issued
    from tests.support.scripted_upstream import Conversation, Received

DEADLINE_SECONDS = 30
BACKUP_PIN = base64.b64encode(b"\x01" * 32).decode("ascii")
# The alert, or a reset that has overtaken it: the server closes while the request is on its way.
REFUSED_BY_SERVER = {"upstream.tls", "upstream.reply"}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """One worker: who has heard of a change need not be asked of others."""
    with running_edge(tmp_path_factory.mktemp("edge"), EDGE_WORKERS="1") as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Somebody's CA")


@pytest.fixture(scope="module")
def server(edge: EdgeUnderTest, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    running = foreign(edge.home, tmp_path_factory.mktemp("foreign"), authority)
    yield running
    running.server.stop()


def put_in_force(edge: EdgeUnderTest, upstream: dict[str, Any], **deployment: Any) -> str:
    """Make an upstream of this body and a deployment that leads to it; returns its path once it is in force."""
    name = f"u{next(_numbers)}"
    path = f"/{name}/**"
    routes = [{"path": path, "methods": ["GET", "POST"]}]
    body = {"listener": "edge", "upstream": name, "mtls": "required", "errors": "problem", "routes": routes} | deployment
    configuration = Configuration(kinds=KINDS, store=SqlConfigurationStore(edge.register.engine), clock=SystemClock())
    configuration.apply([Change(kind="upstreams", name=name, body=upstream), Change(kind="deployments", name=name, body=body)])
    with edge.connect(edge.qwac) as connection:
        # A method that the deployment does not have: the upstream is not asked.
        wait_until(
            lambda: edge.over(connection, f"/{name}/x", method="DELETE").status == 405, seconds=DEADLINE_SECONDS, what=name
        )
    return f"/{name}/x"


def asked(edge: EdgeUnderTest, path: str, **options: Any) -> Answer:
    return edge.get(path, certificate=edge.qwac, **options)


def told(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, answer.body
    return dict(answer.json["headers"])


def test_a_server_outside_is_told_nothing_of_who_calls(edge: EdgeUnderTest, server: Foreign) -> None:
    """Neither identity, nor the gateway's own certificate; and it is asked by its own name."""
    headers = told(asked(edge, put_in_force(edge, server.body()), headers={"X-Own": "kept"}))
    assert not [name for name in headers if name.startswith(("x-sandbox", "client-cert"))]
    assert (headers["host"], headers["x-own"]) == (f"pay.example:{server.server.port}", "kept")


def test_a_document_may_have_it_told(edge: EdgeUnderTest, server: Foreign) -> None:
    headers = told(asked(edge, put_in_force(edge, server.body(pass_identity=True))))
    assert headers["x-sandbox-tpp"] == "PSDDE-BAFIN-100001"
    assert headers["client-cert"] == f":{base64.b64encode(edge.qwac.der).decode()}:"


def test_what_a_server_outside_says_of_refusals_and_faults_is_not_believed(edge: EdgeUnderTest, server: Foreign) -> None:
    """Only the bank and the authorization server have a word in the log."""
    told = refusal_header(ToldRefusal(reason="consent.unknown", text="a", hint="b", clause="c"))
    order = FaultOrder(0, is_dropped=True).header
    server.server.reply = raw(
        f"HTTP/1.1 400 Bad Request\r\n{refusals.HEADER}: {told}\r\n{fault_orders.HEADER}: {order}\r\n"
        "Content-Length: 0\r\n\r\n".encode()
    )
    answer = asked(edge, put_in_force(edge, server.body()))
    server.server.reply = echo
    assert (answer.status, edge.record_of(answer)["reason"]) == (400, None)


@pytest.mark.parametrize(
    ("tls", "reason"),
    [
        ({"pins": ["present", BACKUP_PIN]}, None),
        ({"pins": [BACKUP_PIN, base64.b64encode(b"\x02" * 32).decode()]}, "upstream.pin"),
        ({"server_name": "other.example"}, "upstream.tls_name"),
        ({"server_name": "other.example", "pins": ["present", BACKUP_PIN]}, "upstream.tls_name"),
        ({"authorities": [Authority("Another CA").pem]}, "upstream.tls_untrusted"),
        ({"authorities": [Authority("Another CA").pem], "pins": ["present", BACKUP_PIN]}, "upstream.tls_untrusted"),
    ],
)
def test_a_server_has_to_prove_chain_and_name_and_key(
    edge: EdgeUnderTest, server: Foreign, tls: dict[str, Any], reason: str | None
) -> None:
    """A pin takes the place of neither chain nor name; a server that fails one gets no byte of the request."""
    pins = [server.pin if pin == "present" else pin for pin in tls.get("pins", [])]
    path = put_in_force(edge, server.body(tls=tls | ({"pins": pins} if pins else {})))
    before = len(server.server.received)
    answer = asked(edge, path)
    assert (answer.status, answer.json.get("reason")) == ((200, None) if reason is None else (502, reason))
    assert len(server.server.received) - before == (reason is None)


def test_versions_of_tls_are_bounded_by_the_document(edge: EdgeUnderTest, authority: Authority, tmp_path: Path) -> None:
    old = foreign(edge.home, tmp_path, authority, version=ssl.TLSVersion.TLSv1_2)
    assert asked(edge, put_in_force(edge, old.body())).status == 200
    answer = asked(edge, put_in_force(edge, old.body(tls={"lowest_version": "1.3"})))
    old.server.stop()
    assert (answer.status, answer.reason) == (502, "upstream.tls")


def test_a_certificate_of_its_own_is_shown_by_host_and_port(edge: EdgeUnderTest, authority: Authority, tmp_path: Path) -> None:
    """Without it the server lets nobody in; files that come later are taken up."""
    ours = Authority("CA of callers")
    strict = foreign(edge.home, tmp_path, authority, asks=ours.pem)
    without = asked(edge, put_in_force(edge, strict.body()))
    assert (without.status, without.reason in REFUSED_BY_SERVER) == (502, True)
    elsewhere = strict.body(client_certificates=[{"certificate": "caller", "hosts": ["127.0.0.*"], "port": strict.server.port}])
    path = put_in_force(edge, elsewhere)
    missing = asked(edge, path)
    assert (missing.status, missing.reason) == (502, "upstream.tls_own_certificate")
    ours.server("gateway.example").write(edge.home.certs / "upstreams", "caller")
    wait_until(lambda: asked(edge, path).status == 200, seconds=DEADLINE_SECONDS, what="the certificate to be taken up")
    strict.server.stop()


def test_a_stored_certificate_is_shown_and_rotated(edge: EdgeUnderTest, authority: Authority, tmp_path: Path) -> None:
    """By host and port; the version that becomes current takes the other's place without a restart, for new connections."""
    first, second = (Authority(f"CA of callers {number}") for number in range(2))
    strict = foreign(edge.home, tmp_path, authority, asks=first.pem + second.pem)
    shown: list[object] = []

    def note(request: Received, conversation: Conversation) -> bool:
        shown.append(conversation.socket.getpeercert(binary_form=True))
        return echo(request, conversation)

    strict.server.reply = note
    body = strict.body(client_certificates=[{"stored": "caller", "hosts": ["127.0.0.*"], "port": strict.server.port}])
    before, after = first.server("gateway.example"), second.server("gateway.example")
    store(edge, before)
    path = put_in_force(edge, body)
    assert (asked(edge, path).status, shown) == (200, [before.der])
    store(edge, after)

    def is_shown() -> bool:
        assert asked(edge, path).status == 200
        return shown[-1] == after.der

    wait_until(is_shown, seconds=DEADLINE_SECONDS, what="the new version to be shown")
    strict.server.stop()


def store(edge: EdgeUnderTest, issued: Issued) -> None:
    """Make a certificate the current version of `caller`."""
    configuration = Configuration(kinds=KINDS, store=SqlConfigurationStore(edge.register.engine), clock=SystemClock())
    configuration.apply([Change(kind="certificates", name="caller", body={"versions": [version(issued)]})])


def test_the_internal_certificate_is_shown_to_nobody_outside(edge: EdgeUnderTest, authority: Authority, tmp_path: Path) -> None:
    """A server that would let the gateway in as itself gets no certificate."""
    internal = edge.home.ca("internal").certificate.read_text()
    curious = foreign(edge.home, tmp_path, authority, asks=internal)
    answer = asked(edge, put_in_force(edge, curious.body()))
    curious.server.stop()
    assert (answer.status, answer.reason in REFUSED_BY_SERVER, curious.server.received) == (502, True, [])


def test_a_target_that_does_not_listen_is_passed_over(edge: EdgeUnderTest, server: Foreign) -> None:
    """Requests that change something too: nothing of them had been sent. It is left alone after two failures."""
    gone = foreign(edge.home, edge.home.path / "gone", server.authority)
    gone.server.stop()
    body = server.body(targets=[gone.target, server.target], balancing="round_robin", health={"failures": 2, "seconds": 3600})
    path = put_in_force(edge, body)
    answers = [asked(edge, path, method=method) for method in ("GET", "POST", "GET", "POST", "GET", "POST")]
    assert {answer.status for answer in answers} == {200}
    assert {edge.record_of(answer)["target"] for answer in answers} == {f"127.0.0.1:{server.server.port}"}
    wait_until(
        lambda: conditions(edge, path) == {"serving": 1, "failing": 0, "left_alone": 1},
        seconds=DEADLINE_SECONDS,
        what="the metrics to tell of it",
    )


def test_the_only_target_is_asked_though_it_fails_and_the_metrics_tell(
    edge: EdgeUnderTest, authority: Authority, tmp_path: Path
) -> None:
    """Until it has answered."""
    only = foreign(edge.home, tmp_path, authority)
    path = put_in_force(edge, only.body())
    for reply, status, condition in ((raw(b"HTTP/9", then_close=True), 502, "failing"), (echo, 200, "serving")):
        only.server.reply = reply
        assert asked(edge, path).status == status
        wait_until(lambda: conditions(edge, path)[condition] == 1, seconds=DEADLINE_SECONDS, what=condition)  # noqa: B023 - at once
    only.server.stop()


def conditions(edge: EdgeUnderTest, path: str) -> dict[str, float | None]:
    """Return how many targets of the path's upstream do how."""
    found, upstream = samples_at(edge.home.run), path.split("/")[1]
    return {
        condition: found.get("gateway_upstream_targets", upstream=upstream, condition=condition)
        for condition in ("serving", "failing", "left_alone")
    }


def test_another_target_is_asked_where_one_breaks_off_and_that_does_no_harm(edge: EdgeUnderTest, server: Foreign) -> None:
    """GET goes to the next one, POST may have been carried out: 502. A failing target is left alone, then tried again."""
    broken = foreign(edge.home, edge.home.path / "broken", server.authority)
    broken.server.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Le", then_close=True)
    health = {"failures": 1, "seconds": 1.0}
    path = put_in_force(edge, server.body(targets=[broken.target, server.target], balancing="round_robin", health=health))
    first = asked(edge, path)
    assert (first.status, edge.record_of(first)["retried"]) == (200, True)
    assert [asked(edge, path).status for _ in range(4)] == [200] * 4
    statuses: list[int] = []

    def is_tried_again() -> bool:
        statuses.append(asked(edge, path, method="POST").status)
        return statuses[-1] == 502

    wait_until(is_tried_again, seconds=DEADLINE_SECONDS, what="the broken target to be tried again")
    broken.server.reply = echo
    wait_until(
        lambda: asked(edge, path).status == 200 and len(broken.server.received) > 2,
        seconds=DEADLINE_SECONDS,
        what="the target to serve again",
    )
    broken.server.stop()


def test_the_least_busy_target_is_asked(edge: EdgeUnderTest, server: Foreign) -> None:
    """While one of them holds a request, all others go elsewhere."""
    slow = foreign(edge.home, edge.home.path / "slow", server.authority)
    path = put_in_force(edge, server.body(targets=[slow.target, server.target]))

    def holds(_request: Received, conversation: Conversation) -> bool:
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")
        return bool(conversation.socket.recv(1))  # until the client has gone

    slow.server.reply = holds
    with edge.connect(edge.qwac) as held:
        held.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert held.recv(12) == b"HTTP/1.1 200"
        assert [asked(edge, path).status for _ in range(5)] == [200] * 5
        assert len(slow.server.received) == 1
    slow.server.stop()


def test_more_instances_of_the_bank_may_be_named(edge: EdgeUnderTest) -> None:
    """They prove themselves as the bank does, are told what the bank is told, and are believed as the bank is."""
    second = ScriptedUpstream(edge.home, "bank")
    target = {"host": "127.0.0.1", "port": second.port}
    headers = told(asked(edge, put_in_force(edge, {"service": "bank", "targets": [target]})))
    assert (headers["x-sandbox-tpp"], headers["host"]) == ("PSDDE-BAFIN-100001", "localhost")
    impostor = asked(edge, put_in_force(edge, {"service": "portal", "targets": [target]}))
    second.stop()
    assert (impostor.status, impostor.reason) == (502, "upstream.tls_name")
