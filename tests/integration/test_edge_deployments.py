"""Deployments of a running edge: changed ten times a second under load, over a lost worker, and asked for over real TLS."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from gateway.configuration.service import Change, Configuration
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.store import SqlConfigurationStore
from gateway.kinds import KINDS
from psd2.clock import SystemClock
from tests.support.edge import Answer, EdgeUnderTest, running_edge
from tests.support.patience import IN_FORCE_SECONDS
from tests.support.ports import wait_until
from tests.support.scripted_upstream import Conversation, Received, echo

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from tests.support.pki import Issued

CHANGES = 24
PERIOD_SECONDS = 0.1
PAUSE_SECONDS = 0.005
MOST_TRIES = 200
CLIENTS = 2
PIECE = b"x" * 1_000
DEADLINE_SECONDS = 60


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge with two workers to the tests of this module; each has paths of its own."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.fixture(scope="module")
def configuration(edge: EdgeUnderTest) -> Configuration:
    """Lend what the admin API changes the edge's configuration by."""
    return Configuration(kinds=KINDS, store=SqlConfigurationStore(edge.register.engine), clock=SystemClock())


def put(configuration: Configuration, name: str, *routes: dict[str, Any], **fields: Any) -> None:
    """Make a deployment what these say; without routes, nothing."""
    body = {"listener": "edge", "upstream": "bank", "mtls": "off"} | fields | {"routes": list(routes)}
    configuration.apply([Change(kind="deployments", name=name, body=body if routes else None)])


def get(path: str, **fields: Any) -> dict[str, Any]:
    return {"path": path, "methods": ["GET"]} | fields


@dataclass
class Oracle:
    """Knows what any worker may decide by: change `n` opens `/probe/open-n`, and asks at `/probe/shut-n` for a certificate.

    A decision tells that the worker has the change, or has not. It has none that was not begun, and it never goes back.
    """

    begun: int = 0
    wrong: list[str] = field(default_factory=list)
    decisions: int = 0

    def judge(self, change: int, path: str, status: int, *, seen: int) -> int:
        """Note a wrong decision; return the newest change that this worker is now known to have."""
        self.decisions += 1
        has_change = {("open", 200): True, ("open", 404): False, ("shut", 200): False, ("shut", 401): True}.get((path, status))
        if has_change is None:
            self.wrong.append(f"{path}-{change} answered {status}")
        elif has_change and change > self.begun:
            self.wrong.append(f"{path}-{change} answered {status} and change {self.begun} is the newest")
        elif not has_change and change <= seen:
            self.wrong.append(f"{path}-{change} answered {status} after change {seen} was in force")
        return max(seen, change) if has_change else seen


def probes(change: int) -> list[dict[str, Any]]:
    opened = [get(f"/open-{number}") for number in range(change + 1)]
    shut = [get(f"/shut-{number}", mtls="required" if number <= change else "off") for number in range(CHANGES + 1)]
    return [*opened, *shut]


def test_changes_ten_times_a_second_decide_nothing_wrongly(edge: EdgeUnderTest, configuration: Configuration) -> None:
    """No answer but those of a set in force, none of a set before one already seen, and nothing in flight is dropped."""
    put(configuration, "probe", *probes(0), path_prefix="/probe")
    put(configuration, "slow", get("/slow"), get("/slow-too"))
    wait_until(lambda: in_force(edge, "/slow-too", 200), seconds=IN_FORCE_SECONDS, what="the first set on each worker")
    oracle, ended = Oracle(), threading.Event()
    edge.bank.reply = until(ended)
    try:
        with ThreadPoolExecutor(CLIENTS + 1) as pool:
            in_flight = pool.submit(edge.get, "/slow")
            loads = [pool.submit(load, edge, oracle, number) for number in range(CLIENTS)]
            wait_until(lambda: any(" /slow " in each.line for each in edge.bank.received), seconds=60, what="the slow request")
            change_in_time(configuration, oracle)
            put(configuration, "slow")
            wait_until(lambda: in_force(edge, "/slow-too", 404), seconds=IN_FORCE_SECONDS, what="the last set on each worker")
            for each in loads:
                each.result(timeout=DEADLINE_SECONDS)
            ended.set()
            answer = in_flight.result(timeout=DEADLINE_SECONDS)
    finally:
        ended.set()
        edge.bank.reply = echo

    assert oracle.wrong == []
    assert oracle.decisions >= CHANGES
    assert (answer.status, answer.body) == (200, PIECE * 2)
    for path, status in (("open", 200), ("shut", 401)):
        last = f"/probe/{path}-{CHANGES}"
        wait_until(lambda: in_force(edge, last, status), seconds=IN_FORCE_SECONDS, what=last)  # noqa: B023 - called here


def until(ended: threading.Event) -> Any:
    """Answer `/slow` in two pieces, the second when the event is set; anything else at once."""

    def answer(request: Received, conversation: Conversation) -> bool:
        if " /slow " not in request.line:
            return echo(request, conversation)
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(PIECE)) + PIECE)
        ended.wait(DEADLINE_SECONDS)
        conversation.send(PIECE)
        return True

    return answer


def change_in_time(configuration: Configuration, oracle: Oracle) -> None:
    """Make the changes at their pace, or one after the other where the machine is slower."""
    due = time.monotonic()
    for change in range(1, CHANGES + 1):
        oracle.begun = change
        put(configuration, "probe", *probes(change), path_prefix="/probe")
        due += PERIOD_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))


def load(edge: EdgeUnderTest, oracle: Oracle, number: int) -> None:
    """Ask as long as there are changes, for each on a connection of its own: it belongs to one worker, which never goes back.

    What the next change shuts is asked for until it comes, and at once when its worker is seen to have it: nothing is kept.
    """
    dice = random.Random(number)  # noqa: S311 - which path is asked for is no secret
    while oracle.begun < CHANGES:
        change, seen = oracle.begun + 1, 0
        with edge.connect() as connection:

            def asked(path: str, about: int) -> int:
                status = edge.over(connection, f"/probe/{path}-{about}").status
                return oracle.judge(about, path, status, seen=seen)  # noqa: B023 - called here

            for _ in range(MOST_TRIES):
                seen = asked("shut", change)
                seen = asked("open", change)
                if seen >= change:
                    break
                time.sleep(PAUSE_SECONDS)
            seen = asked("shut", change)
            seen = asked(dice.choice(["open", "shut"]), dice.randint(1, CHANGES))


def in_force(edge: EdgeUnderTest, path: str, status: int, certificate: Issued | None = None) -> bool:
    """Whether each worker answers so: whose an answer is, its audit file tells."""
    context = edge.context(certificate)

    def asked(_: int) -> Answer:
        with edge.connect(context=context) as connection:
            return edge.over(connection, path)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(asked, range(8)))
    ids = [answer.headers["x-sandbox-request"] for answer in answers]
    logs = [log.read_text() for log in edge.home.log.glob("audit-*.jsonl")]
    workers = sum(any(each in log for each in ids) for log in logs)
    return workers == len(edge.workers()) and all(answer.status == status for answer in answers)


def test_a_set_that_is_wrong_anywhere_is_refused_whole(edge: EdgeUnderTest, configuration: Configuration) -> None:
    """The fault is named with document and field, and what was right beside it is not in force either."""
    good, bad = get("/whole"), get("/whole/{x}", allowed_sans=["a*b"])
    usual = {"listener": "edge", "upstream": "bank", "mtls": "required"}
    changes = [
        Change(kind="deployments", name="good", body=usual | {"routes": [good]}),
        Change(kind="deployments", name="bad", body=usual | {"routes": [good, bad]}),
    ]
    with pytest.raises(SetRefused) as caught:
        configuration.apply(changes)
    assert [(fault.document, fault.field) for fault in caught.value.faults] == [
        ("deployments/bad", "routes[1].allowed_sans[0]")
    ]
    changes[1] = Change(kind="deployments", name="bad", body=usual | {"routes": [good]})
    with pytest.raises(SetRefused, match=r"deployments/good: routes\[0\].path: .* deployments/bad"):
        configuration.apply(changes)
    assert edge.get("/whole").status == 404


def test_a_worker_that_starts_anew_knows_what_was_changed(edge: EdgeUnderTest, configuration: Configuration) -> None:
    """It stands in the database, not in the worker."""
    put(configuration, "kept", get("/kept"))
    wait_until(lambda: in_force(edge, "/kept", 200), seconds=IN_FORCE_SECONDS, what="the deployment")
    old = edge.workers()
    os.kill(old[0], signal.SIGTERM)
    wait_until(lambda: len(edge.workers()) == len(old) and old[0] not in edge.workers(), seconds=60, what="a new worker")
    wait_until(lambda: in_force(edge, "/kept", 200), seconds=60, what="both workers")


def test_policies_hold_over_real_connections(edge: EdgeUnderTest, configuration: Configuration) -> None:
    """An address, a name, and a host that is not the connection's, on a connection that served before."""
    put(
        configuration,
        "held",
        get("/held/address", ip_rules={"deny": ["127.0.0.0/8", "::1"]}),
        get("/held/name", mtls="required", allowed_sans=["partner.*"]),
        get("/held/own", mtls="required", allowed_certificates=[edge.qwac.sha256]),
        get("/held/ignored", mtls="optional", invalid_certificate="ignore", allowed_sans=["partner.*"]),
    )
    wait_until(lambda: in_force(edge, "/held/own", 200, edge.qwac), seconds=IN_FORCE_SECONDS, what="the deployment")
    with edge.connect(edge.qwac) as connection:
        assert told(edge, connection, "/held/address") == (403, "net.ip_denied")
        assert told(edge, connection, "/held/name") == (401, "mtls.san")
        ignored = edge.over(connection, "/held/ignored")
        assert edge.over(connection, "/held/own").status == 200
        assert told(edge, connection, "/held/own", host="other.localhost") == (421, "tls.sni_host_mismatch")
        assert edge.over(connection, "/held/own").status == 200
    assert ignored.status == 200
    assert not [name for name, _ in ignored.json["headers"] if name in {"client-cert", "x-sandbox-tpp", "x-sandbox-roles"}]


def told(edge: EdgeUnderTest, connection: ssl.SSLSocket, path: str, *, host: str = "localhost") -> tuple[int, str]:
    answer = edge.over(connection, path, headers={"Host": host})
    return answer.status, answer.reason


def test_a_route_has_its_own_deadline_and_body_size(edge: EdgeUnderTest, configuration: Configuration) -> None:
    """The upstream may take longer elsewhere; a body may be larger elsewhere."""
    upload = {"path": "/own/upload", "methods": ["POST"], "max_body_bytes": 10}
    put(configuration, "own", get("/own/hurried", deadlines={"head_seconds": 1}), upload, get("/own/ready"))
    wait_until(lambda: in_force(edge, "/own/ready", 200), seconds=IN_FORCE_SECONDS, what="the deployment")
    edge.bank.reply = silent_unless_ready
    try:
        late = edge.get("/own/hurried")
    finally:
        edge.bank.reply = echo
    assert (late.status, late.reason) == (504, "upstream.timeout")
    assert edge.get("/own/upload", method="POST", body=b"x" * 10).status == 200
    large = edge.get("/own/upload", method="POST", body=b"x" * 11)
    assert (large.status, large.reason) == (413, "http.body_too_large")


def silent_unless_ready(request: Received, conversation: Conversation) -> bool:
    """Say nothing for as long as the edge waits, which closes the connection."""
    if "hurried" not in request.line:
        return echo(request, conversation)
    conversation.socket.recv(1)
    return False
