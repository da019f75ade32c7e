"""The configuration while the edge runs: on every worker at once, under load, and never a set that can't be used."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import insert

from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change
from gateway.configuration.changes import Change
from gateway.configuration.service import Configuration
from gateway.configuration.store import SqlConfigurationStore
from gateway.kinds import KINDS
from gateway.tables.configuration import documents
from psd2.clock import SystemClock
from tests.support.edge import EdgeUnderTest, running_edge
from tests.support.edge_visitors import open_on_both_workers
from tests.support.platform import free_base_port
from tests.support.ports import wait_until
from tests.support.scripted_upstream import Conversation, Received, echo

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

DEADLINE_SECONDS = 30
CHANGES = 20


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.fixture
def workers(edge: EdgeUnderTest) -> list[ssl.SSLSocket]:
    """Lend open connections, at least one to each worker."""
    return open_on_both_workers(edge, edge.authority.qwac())


@pytest.fixture
def configuration(edge: EdgeUnderTest) -> Configuration:
    """Lend the edge's configuration as the control API changes it."""
    return Configuration(kinds=KINDS, store=SqlConfigurationStore(edge.register.engine), clock=SystemClock())


def deployed(path: str | None) -> Change:
    """Say that there be a deployment with this one path, or none."""
    routes = [{"path": path, "methods": ["GET"]}]
    body = {"listener": "edge", "upstream": "bank", "mtls": "off", "errors": "problem", "routes": routes}
    return Change(kind="deployments", name="hello", body=body if path else None)


def statuses(edge: EdgeUnderTest, connections: list[ssl.SSLSocket], path: str) -> set[int]:
    return {edge.over(connection, path).status for connection in connections}


def until(edge: EdgeUnderTest, connections: list[ssl.SSLSocket], path: str, status: int) -> None:
    wait_until(lambda: statuses(edge, connections, path) == {status}, seconds=DEADLINE_SECONDS, what=f"{status} for {path}")


def test_a_deployment_comes_changes_and_goes_on_every_worker(
    edge: EdgeUnderTest, workers: list[ssl.SSLSocket], configuration: Configuration
) -> None:
    """On connections that were open before."""
    assert statuses(edge, workers, "/hello") == {404}
    configuration.apply([deployed("/hello")])
    until(edge, workers, "/hello", 200)
    configuration.apply([deployed("/hi")])
    until(edge, workers, "/hi", 200)
    assert statuses(edge, workers, "/hello") == {404}
    configuration.apply([deployed(None)])
    until(edge, workers, "/hi", 404)


def test_a_request_goes_on_with_what_it_began_with(
    edge: EdgeUnderTest, workers: list[ssl.SSLSocket], configuration: Configuration
) -> None:
    """Its deployment is gone before its answer is whole."""
    configuration.apply([deployed("/hello")])
    until(edge, workers, "/hello", 200)
    begun, gone = threading.Event(), threading.Event()

    def answer(request: Received, conversation: Conversation) -> bool:
        conversation.read_body(request)
        conversation.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlo")
        begun.set()
        gone.wait(DEADLINE_SECONDS)
        conversation.send(b"ng")
        return True

    edge.bank.reply = answer
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(edge.get, "/hello")
        assert begun.wait(DEADLINE_SECONDS)
        edge.bank.reply = echo
        configuration.apply([deployed(None)])
        until(edge, workers, "/hello", 404)
        gone.set()
        answered = asked.result(DEADLINE_SECONDS)

    assert (answered.status, answered.body) == (200, b"long")


def test_changes_in_a_rush_disturb_no_request(
    edge: EdgeUnderTest, workers: list[ssl.SSLSocket], configuration: Configuration
) -> None:
    """Each is answered as ever, and in the end the last change is in force."""
    with requests_all_along(edge, workers) as seen:
        for number in range(CHANGES):
            configuration.apply([deployed(f"/hello-{number}")])
        until(edge, [edge.connect() for _ in range(8)], f"/hello-{CHANGES - 1}", 200)

    assert set(seen) == {200}
    assert len(seen) > CHANGES
    configuration.apply([deployed(None)])


@contextmanager
def requests_all_along(edge: EdgeUnderTest, connections: list[ssl.SSLSocket]) -> Iterator[list[int]]:
    """Ask again and again, of every worker; gives the statuses."""
    seen: list[int] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            seen.extend(edge.over(connection, "/v1/consents/1").status for connection in connections)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield seen
    finally:
        over.set()
        asking.join(DEADLINE_SECONDS)


def test_a_set_that_somebody_broke_in_the_database_never_replaces_a_good_one(
    edge: EdgeUnderTest, workers: list[ssl.SSLSocket], configuration: Configuration
) -> None:
    """It is told in the log of each worker, and one that starts anew takes what the other holds; a repair comes into force."""
    configuration.apply([deployed("/hello")])
    until(edge, workers, "/hello", 200)
    broken = {"number": 1, "body": '{"listener": "nowhere"}', "origin": "operator", "actor": "somebody", "at": 0.0}
    with edge.register.engine.begin() as connection:
        connection.execute(insert(documents).values(kind="deployments", name="broken", **broken))
        connection.execute(documents.delete().where(documents.c.name == "hello"))
        append_change(connection, ChangeKind.CONFIGURATION, "*", datetime.now(UTC))

    wait_until(lambda: len(refusals(edge)) == 2, seconds=DEADLINE_SECONDS, what="both workers' refusal")
    assert any("deployments/broken: listener" in fault for fault in refusals(edge)[0]["faults"])
    assert statuses(edge, workers, "/hello") == {200}

    kill_a_worker(edge)
    survivors = open_on_both_workers(edge, edge.authority.qwac())
    assert statuses(edge, survivors, "/hello") == {200}

    with edge.register.engine.begin() as connection:
        connection.execute(documents.delete().where(documents.c.name == "broken"))
        append_change(connection, ChangeKind.CONFIGURATION, "*", datetime.now(UTC))
    until(edge, survivors, "/hello", 404)


def kill_a_worker(edge: EdgeUnderTest) -> None:
    """And wait until another serves in its place, by the set that the other one holds."""
    old, log = edge.workers(), edge.home.log.joinpath("edge.jsonl")
    os.kill(old[0], signal.SIGKILL)
    wait_until(lambda: "configuration.held_taken" in log.read_text(), seconds=2 * DEADLINE_SECONDS, what="the held set")
    wait_until(lambda: len(edge.workers()) == len(old) and old[0] not in edge.workers(), seconds=DEADLINE_SECONDS, what="two")


def refusals(edge: EdgeUnderTest) -> list[dict[str, Any]]:
    lines = (line for line in edge.home.log.joinpath("edge.jsonl").read_text().splitlines() if "configuration.refused" in line)
    return [orjson.loads(line) for line in lines]


def test_a_worker_without_a_usable_set_does_not_start_and_says_why(edge: EdgeUnderTest) -> None:
    """The last of this module: the running edge keeps what it has."""
    with edge.register.engine.begin() as connection:
        connection.execute(documents.update().where(documents.c.name == "demo").values(body='{"listener": "nowhere"}'))
    environment = edge.environment | {"GATEWAY_BASE_PORT": str(free_base_port()), "GATEWAY_EDGE_WORKERS": "1"}

    ended = subprocess.run(
        edge.command, env=environment, capture_output=True, text=True, check=False, timeout=2 * DEADLINE_SECONDS
    )

    assert ended.returncode != 0
    assert "deployments/demo: listener" in ended.stderr
    assert edge.get("/v1/consents/1", certificate=edge.qwac).status == 200
