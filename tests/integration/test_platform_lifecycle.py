"""A whole platform that is ill-treated: nobody reads what it says, its servers are killed, then all of it; and it is up again.

SIGKILL for each server process: the supervisor brings it back, and nothing that was committed is lost.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from chassis.addresses import PortTable
from chassis.home import Home
from sandbox.platform.state import RunFolder
from tests.support.commands import command_environment
from tests.support.demo_app import APP, HeadlessBrowser, origin_of
from tests.support.patience import BACK_SECONDS, patiently
from tests.support.platform import RunningPlatform, free_base_port, processes_of
from tests.support.ports import wait_until
from tests.support.tpps import ANNA, KeepingTransport, open_stage, registered, stage_on
from tpp_client.accounts import accounts_request, process_accounts_response
from tpp_client.consents import consent_status_request, process_consent_status_response
from tpp_client.errors import TppClientError
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.following import SETTLED
from tpp_client.journeys.pis import pis_journey
from tpp_client.payments import payment_status_request, process_payment_response, process_payment_status_response
from tpp_client.transport import transport_for
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psd2.ids import PaymentId
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.stage import Stage

PAYMENTS, AMOUNT_MINOR = 12, 1200
_PAUSE_SECONDS = 0.1
# A start, its end, and a restart, on a machine that has much else to do.
_START_SECONDS, _END_SECONDS = 120.0, 60.0
SERVERS = ["bank", "admin", "authorization", "portal", "demo", "edge"]
# The demo app's own tests kill that one.
KILLED = ("edge", "authorization", "admin", "bank", "portal")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Lend a platform that may be ill-treated: the others must not feel these blows.

    `sandbox up --detach | head -1`: the reader has gone after the first line. And the demo app can't be registered.
    """
    platform = RunningPlatform(Home(tmp_path_factory.mktemp("own")), PortTable(free_base_port()))
    obstacle(platform).mkdir(parents=True)
    with unread(platform, "--detach") as up:
        _, complaints = up.communicate(timeout=_START_SECONDS)
        assert (up.returncode, complaints) == (0, b"")
        yield platform


@pytest.fixture(scope="module")
def restarted(own: RunningPlatform) -> Iterator[RunningPlatform]:
    """Kill the supervisor; start the platform anew in the foreground, on other ports, again with nobody who reads on."""
    own.register("survivor", "PSDDE-BAFIN-79")
    os.kill(own.status()["pid"], signal.SIGKILL)
    wait_until(lambda: not RunFolder(own.home).is_held(), seconds=_END_SECONDS, what="the lock's end")
    obstacle(own).rmdir()
    obstacle(own).parent.rmdir()
    again = RunningPlatform(own.home, PortTable(free_base_port()))
    with unread(again) as up:
        wait_until(lambda: bool(again.status().get("ready")), seconds=_START_SECONDS, what="a platform that is up")
        yield again
        again.sandbox("down")
        _, complaints = up.communicate(timeout=_END_SECONDS)
        assert (up.returncode, complaints) == (0, b"")


@contextmanager
def unread(platform: RunningPlatform, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a platform and read no more than the first line of what it says; stop it at the end."""
    block = ("--home", str(platform.home.path), "--base-port", str(platform.ports.base))
    command = [sys.executable, "-m", "sandbox.cli", "up", *options, *block]
    up = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=command_environment())
    try:
        assert up.stdout is not None
        assert up.stdout.readline()
        up.stdout.close()
        yield up
    finally:
        platform.sandbox("down")
        up.wait(timeout=_END_SECONDS)


def obstacle(platform: RunningPlatform) -> Path:
    """Return what stands where the demo app's registration is to be written: a folder that is not empty."""
    return platform.home.tpp(APP) / "client.json" / "in-the-way"


@pytest.fixture(scope="module")
def identity(own: RunningPlatform) -> TppIdentity:
    return registered(own)


def call(platform: RunningPlatform, home: Home, name: str) -> int:
    """Ask the bank who can log in, over the edge, with the certificate of a TPP of this home."""
    folder = home.tpp(name)
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(platform.home.trust_bundle)
        session.cert = (str(folder / "qwac.crt"), str(folder / "qwac.key"))
        try:
            return session.get(f"{platform.edge_url}/sandbox/v1/data", timeout=30).status_code
        except requests.ConnectionError:
            return 0


def test_status_tells_that_all_is_well(own: RunningPlatform) -> None:
    """For a program and for a person."""
    status = own.status()

    assert status["running"]
    assert status["ready"]
    assert [server["name"] for server in status["servers"]] == SERVERS
    assert status["addresses"]["edge"] == own.edge_url
    done = own.sandbox("status")
    assert done.stdout.count("healthy") == len(SERVERS)


def test_a_second_start_and_a_reset_are_refused(own: RunningPlatform) -> None:
    """Neither disturbs the platform that runs."""
    up = own.sandbox("up", "--detach", check=False)
    reset = own.sandbox("reset", "--yes", check=False)

    for done in (up, reset):
        assert done.returncode == 1
        assert "runs already" in done.stderr
    assert own.status()["ready"]


def test_a_broken_registration_of_the_demo_app_is_said_and_stops_nothing(own: RunningPlatform) -> None:
    """The platform has started; it says what is wrong, and the app says it too."""
    assert "the demo app has no TPP to be" in (own.home.log / "platform.jsonl").read_text()
    assert "not registered at the bank" in HeadlessBrowser(own, psu=ANNA).post("/connect").text


def test_two_platforms_side_by_side(own: RunningPlatform, platform: RunningPlatform) -> None:
    """Each has its own certificates: neither lets in the other's TPPs."""
    own.register("ours", "PSDDE-BAFIN-78")
    platform.register("theirs", "PSDDE-BAFIN-78")

    assert call(own, own.home, "ours") == call(platform, platform.home, "theirs") == 200
    assert call(platform, own.home, "ours") == call(own, platform.home, "theirs") == 401


@pytest.mark.parametrize("server", KILLED)
def test_a_killed_server_comes_back_and_has_forgotten_nothing(own: RunningPlatform, identity: TppIdentity, server: str) -> None:
    """Consent, token and payment from before the kill are as good after it, and a new journey works."""
    with open_stage(identity) as stage:
        granted, paid = ais_journey(stage), pis_journey(stage, ANNA)
        access = Access(token=granted.tokens.access_token, consent_id=granted.consent_id)
        before = process_accounts_response(accounts_request(stage.xs2a, access))

        killed = kill(own, server)
        patiently(lambda: new_process(own, server, killed))

        assert patiently(lambda: process_accounts_response(accounts_request(stage.xs2a, access))) == before
        assert process_consent_status_response(consent_status_request(stage.xs2a, granted.consent_id)) == "valid"
        assert process_payment_status_response(payment_status_request(stage.xs2a, paid.payment_id)) == paid.status
        assert patiently(lambda: ais_journey(stage)).reports


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finding a server's workers takes Linux' /proc")
@pytest.mark.parametrize("server", KILLED)
def test_a_killed_worker_is_replaced(own: RunningPlatform, identity: TppIdentity, server: str) -> None:
    """The process that serves, below the one that `sandbox status` names."""
    master = process(own, server)
    worker = children(master)[0]

    os.kill(worker, signal.SIGKILL)

    patiently(lambda: require(worker not in children(master) and bool(children(master)), f"no new worker for {server}"))
    with open_stage(identity) as stage:
        assert patiently(lambda: ais_journey(stage)).reports


def test_a_bank_killed_in_the_middle_of_payments_keeps_its_books(own: RunningPlatform, identity: TppIdentity) -> None:
    """What the account has lost is exactly what the settled payments took, whichever of them the blow interrupted."""
    with open_stage(identity) as stage, transport_for(identity) as transport:
        before = interim_available(stage)
        keeping = KeepingTransport(transport)
        with ThreadPoolExecutor(1) as pool:
            paying = pool.submit(pay_often, stage_on(identity, keeping))
            patiently(lambda: require(len(payments(keeping)) >= PAYMENTS // 3, "no payments yet"))
            killed = kill(own, "bank")
            patiently(lambda: new_process(own, "bank", killed))
            paying.result(timeout=4 * BACK_SECONDS)

        settled = [each for each in payments(keeping) if status(stage, each) in SETTLED]
        after = patiently(lambda: interim_available(stage))

    assert settled
    assert before - after == len(settled) * AMOUNT_MINOR


def test_after_the_supervisor_was_killed_the_platform_starts_again(restarted: RunningPlatform) -> None:
    """Its servers ended with it; the next start finds everything as it was."""
    wait_until(lambda: call(restarted, restarted.home, "survivor") == 200, seconds=BACK_SECONDS, what="an answer")


def test_the_next_start_puts_the_demo_apps_registration_right(restarted: RunningPlatform) -> None:
    """On other ports than before."""
    assert HeadlessBrowser(restarted, psu=ANNA).connect().url == f"{origin_of(restarted)}/accounts"


def test_what_is_stopped_leaves_no_process_behind(restarted: RunningPlatform) -> None:
    """Servers, workers, the supervisor itself."""
    assert len(processes_of(restarted)) > len(SERVERS)

    restarted.sandbox("down")

    wait_until(lambda: processes_of(restarted) == set(), seconds=_END_SECONDS, what="the end of every process")


def pay_often(stage: Stage) -> None:
    """Pay again and again; what the kill interrupts is not tried anew, for whether it was done is the question."""
    for _ in range(PAYMENTS):
        try:
            pis_journey(stage, ANNA)
        except TppClientError:
            time.sleep(_PAUSE_SECONDS)


def payments(keeping: KeepingTransport) -> list[PaymentId]:
    initiated = [each for each in keeping.kept if each.request.method == "POST" and "/v1/payments/" in each.request.url]
    return [process_payment_response(each).payment_id for each in initiated if each.status == HTTPStatus.CREATED]


def status(stage: Stage, payment_id: PaymentId) -> str:
    return patiently(lambda: process_payment_status_response(payment_status_request(stage.xs2a, payment_id)))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def require(condition: bool, otherwise: str) -> None:  # noqa: FBT001 - the condition is the point
    if not condition:
        raise TppClientError(otherwise)


def kill(platform: RunningPlatform, server: str) -> int:
    pid = process(platform, server)
    os.kill(pid, signal.SIGKILL)
    return pid


def process(platform: RunningPlatform, server: str) -> int:
    found = next(each for each in platform.status()["servers"] if each["name"] == server)
    assert isinstance(found["pid"], int), f"{server} has no process: {found}"
    return found["pid"]


def new_process(platform: RunningPlatform, server: str, killed: int) -> int:
    status = platform.status()
    found = next(each for each in status["servers"] if each["name"] == server)
    if found["pid"] in {None, killed} or found["state"] != "ready":
        raise TppClientError(f"{server} is not back yet: {found}")
    return int(found["pid"])


def interim_available(stage: Stage) -> int:
    result = ais_journey(stage)
    balances = result.reports[0].balances
    return next(balance.amount.minor for balance in balances if balance.kind == "interimAvailable")
