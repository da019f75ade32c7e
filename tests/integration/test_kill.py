"""SIGKILL for each server process: the supervisor brings it back, and nothing that was committed is lost."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.support.platform import RunningPlatform, running_platform
from tests.support.tpps import ANNA, open_stage, registered
from tpp_client.accounts import accounts_request, process_accounts_response
from tpp_client.consents import consent_status_request, process_consent_status_response
from tpp_client.errors import TppClientError
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.pis import pis_journey
from tpp_client.payments import payment_status_request, process_payment_status_response
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.stage import Stage

BACK_SECONDS = 30.0
_PAUSE_SECONDS = 0.1
Value = TypeVar("Value")
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


def test_what_a_payment_moved_stays_moved_when_the_bank_is_killed(platform: RunningPlatform, identity: TppIdentity) -> None:
    """The ledger holds every payment that was answered as settled, once."""
    with open_stage(identity) as stage:
        before = interim_available(stage)
        payments = [pis_journey(stage, ANNA) for _ in range(3)]

        killed = kill(platform, "bank")
        patiently(lambda: new_process(platform, "bank", killed))

        after = patiently(lambda: interim_available(stage))
    assert before - after == sum(payment.order.amount.minor for payment in payments)


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


def patiently(action: Callable[[], Value]) -> Value:
    """Try until it works; the last failure is raised when the time is up."""
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        try:
            return action()
        except TppClientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
