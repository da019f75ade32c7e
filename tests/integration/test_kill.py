"""SIGKILL for each server process: the supervisor brings it back, and nothing that was committed is lost."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.patience import BACK_SECONDS, patiently
from tests.support.platform import RunningPlatform, running_platform
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
SERVERS = ("edge", "authorization", "admin", "bank", "portal")


@pytest.fixture(scope="module")
def platform() -> Iterator[RunningPlatform]:
    """Lend a platform of its own: the others must not feel these blows."""
    with running_platform() as running:
        yield running


@pytest.fixture(scope="module")
def identity(platform: RunningPlatform) -> TppIdentity:
    return registered(platform)


@pytest.mark.parametrize("server", SERVERS)
def test_a_killed_server_comes_back_and_has_forgotten_nothing(
    platform: RunningPlatform, identity: TppIdentity, server: str
) -> None:
    """Consent, token and payment from before the kill are as good after it, and a new journey works."""
    with open_stage(identity) as stage:
        granted, paid = ais_journey(stage), pis_journey(stage, ANNA)
        access = Access(token=granted.tokens.access_token, consent_id=granted.consent_id)
        before = process_accounts_response(accounts_request(stage.xs2a, access))

        killed = kill(platform, server)
        patiently(lambda: new_process(platform, server, killed))

        assert patiently(lambda: process_accounts_response(accounts_request(stage.xs2a, access))) == before
        assert process_consent_status_response(consent_status_request(stage.xs2a, granted.consent_id)) == "valid"
        assert process_payment_status_response(payment_status_request(stage.xs2a, paid.payment_id)) == paid.status
        assert patiently(lambda: ais_journey(stage)).reports


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finding a server's workers takes Linux' /proc")
@pytest.mark.parametrize("server", SERVERS)
def test_a_killed_worker_is_replaced(platform: RunningPlatform, identity: TppIdentity, server: str) -> None:
    """The process that serves, below the one that `sandbox status` names."""
    master = process(platform, server)
    worker = children(master)[0]

    os.kill(worker, signal.SIGKILL)

    patiently(lambda: require(worker not in children(master) and bool(children(master)), f"no new worker for {server}"))
    with open_stage(identity) as stage:
        assert patiently(lambda: ais_journey(stage)).reports


def test_a_bank_killed_in_the_middle_of_payments_keeps_its_books(platform: RunningPlatform, identity: TppIdentity) -> None:
    """What the account has lost is exactly what the settled payments took, whichever of them the blow interrupted."""
    with open_stage(identity) as stage, transport_for(identity) as transport:
        before = interim_available(stage)
        keeping = KeepingTransport(transport)
        with ThreadPoolExecutor(1) as pool:
            paying = pool.submit(pay_often, stage_on(identity, keeping))
            patiently(lambda: require(len(payments(keeping)) >= PAYMENTS // 3, "no payments yet"))
            killed = kill(platform, "bank")
            patiently(lambda: new_process(platform, "bank", killed))
            paying.result(timeout=4 * BACK_SECONDS)

        settled = [each for each in payments(keeping) if status(stage, each) in SETTLED]
        after = patiently(lambda: interim_available(stage))

    assert settled
    assert before - after == len(settled) * AMOUNT_MINOR


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
