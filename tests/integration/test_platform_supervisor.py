"""The supervisor over real gunicorns: start, restart, stop, and no process left whatever happens."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from chassis.home import Home
from sandbox.platform.state import PlatformState, RunFolder
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]


class RunningSupervisor:
    """The program under test and what it has said so far."""

    def __init__(self, home: Path, port: int, *arguments: str) -> None:
        self.home, self.port = Home(home), port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fake_platform", str(home), str(port), *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[dict[str, str]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def wait_for(self, kind: str, *, times: int = 1, seconds: float = 20) -> None:
        wait_until(lambda: sum(event["kind"] == kind for event in self.said) >= times, seconds=seconds, what=f"{kind} event")

    def state(self) -> PlatformState:
        state = RunFolder(self.home).running()
        assert state
        return state

    def pids(self) -> list[int]:
        """Return the masters and all their workers."""
        masters = [server.pid for server in self.state().servers if server.pid]
        return [*masters, *(worker for master in masters for worker in workers_of(master))]

    def get(self, offset: int) -> str:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://localhost:{self.port + offset}/", timeout=60).text


def workers_of(master: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    return False


@pytest.fixture
def start(tmp_path: Path, free_block: int) -> Iterator[Callable[..., RunningSupervisor]]:
    started: list[RunningSupervisor] = []

    def begin(*arguments: str) -> RunningSupervisor:
        started.append(RunningSupervisor(tmp_path, free_block, *arguments))
        return started[-1]

    yield begin
    for supervisor in started:
        if supervisor.process.poll() is None:
            supervisor.process.terminate()
        supervisor.process.communicate(timeout=60)


def test_servers_are_up_when_it_says_ready(start: Callable[..., RunningSupervisor]) -> None:
    """Ready means that every server answers, and the state file says which processes they are."""
    supervisor = start()

    supervisor.wait_for("ready")

    assert supervisor.get(0)
    assert supervisor.get(1)
    assert [(server.name, server.state) for server in supervisor.state().servers] == [("first", "ready"), ("second", "ready")]
    assert supervisor.state().pid == supervisor.process.pid


def test_consoles_stay_small(start: Callable[..., RunningSupervisor], tmp_path: Path) -> None:
    """What a server has printed over weeks is put aside, once."""
    console = Home(tmp_path).log / "first.console"
    console.parent.mkdir(parents=True)
    console.write_bytes(b"chatter\n" * 1_000_000)

    start().wait_for("ready")

    wait_until(lambda: console.stat().st_size < 8_000, seconds=30, what="a console that begins anew")
    assert console.with_name("first.console.1").stat().st_size >= 8_000_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(start: Callable[..., RunningSupervisor], number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal leave no process and no state behind."""
    supervisor = start()
    supervisor.wait_for("ready")
    pids = supervisor.pids()

    supervisor.process.send_signal(number)

    assert supervisor.process.wait(timeout=60) == 0
    assert len(pids) == 4
    assert not any(is_alive(pid) for pid in pids)
    assert not RunFolder(supervisor.home).is_held()
    assert not (supervisor.home.run / "platform.json").exists()


def test_a_request_that_never_ends_does_not_hold_up_the_stop(start: Callable[..., RunningSupervisor]) -> None:
    """A server that would wait two minutes for its last request is killed after a few."""
    supervisor = start()
    supervisor.wait_for("ready")
    pids = supervisor.pids()
    with socket.create_connection(("localhost", supervisor.port), timeout=30) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")

        supervisor.process.terminate()

        assert supervisor.process.wait(timeout=60) == 0
    assert not any(is_alive(pid) for pid in pids)


def test_a_second_signal_stops_at_once(start: Callable[..., RunningSupervisor]) -> None:
    """Whoever presses Ctrl-C twice does not wait for requests under way, here for up to a minute."""
    supervisor = start("healthy", "60")
    supervisor.wait_for("ready")
    with socket.create_connection(("localhost", supervisor.port), timeout=30) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        supervisor.process.terminate()
        supervisor.wait_for("stopping")

        supervisor.process.terminate()

        assert supervisor.process.wait(timeout=30) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_server_is_started_again(start: Callable[..., RunningSupervisor], number: signal.Signals) -> None:
    """A killed master comes back, with workers of its own, and the supervisor says so."""
    supervisor = start()
    supervisor.wait_for("ready")
    first = supervisor.state().servers[0]
    assert first.pid
    before = supervisor.get(0)

    os.kill(first.pid, number)

    supervisor.wait_for("back")
    assert supervisor.get(0) != before
    assert supervisor.state().servers[0].restarts == 1
    assert any(event["kind"] == "died" and "first" in event["text"] for event in supervisor.said)
    assert all(is_alive(pid) for pid in workers_of(supervisor.process.pid)), "a zombie is left"


def test_a_server_is_started_again_without_the_fork_server(start: Callable[..., RunningSupervisor]) -> None:
    """Whatever has become of the process that forks servers, the supervisor starts one by itself."""
    supervisor = start()
    supervisor.wait_for("ready")
    first = supervisor.state().servers[0].pid
    (fork_server,) = set(workers_of(supervisor.process.pid)) - {server.pid for server in supervisor.state().servers}
    assert first

    os.kill(fork_server, signal.SIGKILL)
    os.kill(first, signal.SIGKILL)

    supervisor.wait_for("back")
    assert supervisor.state().servers[0].pid not in {None, first}


def test_servers_die_with_a_killed_supervisor(start: Callable[..., RunningSupervisor]) -> None:
    """SIGKILL leaves the supervisor no time to stop its servers; the kernel tells them."""
    supervisor = start()
    supervisor.wait_for("ready")
    pids = supervisor.pids()

    supervisor.process.kill()

    wait_until(lambda: not any(is_alive(pid) for pid in pids), seconds=30, what="the servers' end")


def test_a_new_platform_starts_after_a_killed_one(start: Callable[..., RunningSupervisor]) -> None:
    """A process id left behind keeps nobody from starting, and it is mentioned."""
    killed = start()
    killed.wait_for("ready")
    killed.process.kill()
    killed.process.wait(timeout=60)

    supervisor = start()

    supervisor.wait_for("ready")
    assert any("did not end cleanly" in event["text"] for event in supervisor.said)


def test_a_second_platform_of_the_same_home_is_refused(start: Callable[..., RunningSupervisor]) -> None:
    """The refusal names the process that runs already; that one is not disturbed."""
    running = start()
    running.wait_for("ready")

    second = start()

    _, complaint = second.process.communicate(timeout=60)
    assert "AlreadyRunning" in complaint
    assert f"process {running.process.pid}" in complaint
    assert running.get(0)


def test_a_taken_port_is_named(start: Callable[..., RunningSupervisor], free_block: int) -> None:
    """Nothing is started; the message says which port, what it is for and the way out."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", free_block + 1))
        other.listen()

        supervisor = start()

        _, complaint = supervisor.process.communicate(timeout=60)
    assert f"port {free_block + 1} is taken" in complaint
    assert "the second of the test" in complaint
    assert "--base-port" in complaint


def test_a_server_that_does_not_start_is_quoted(start: Callable[..., RunningSupervisor]) -> None:
    """The start fails at once with the end of what the server printed, and the others are stopped."""
    supervisor = start("broken")

    _, complaint = supervisor.process.communicate(timeout=60)

    assert supervisor.process.returncode == 1
    assert "second ended with status" in complaint
    assert "the frobnicator is missing" in complaint
    with pytest.raises(requests.ConnectionError):
        supervisor.get(0)
