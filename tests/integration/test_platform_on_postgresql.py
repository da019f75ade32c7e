"""A whole platform on PostgreSQL: every journey, a restart, and what a database that goes away does to it.

Within a second of the database's end the edge lets nobody in; once it is back, everything works again by itself, and what was
acknowledged is there.
"""

from __future__ import annotations

import signal
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
import requests

from psd2.ids import ConsentId
from tests.support.databases import SERVICES
from tests.support.patience import BACK_SECONDS, patiently
from tests.support.platform import RunningPlatform, running_platform
from tests.support.ports import wait_until
from tests.support.postgres import Postgres, running_postgres
from tests.support.tpps import ANNA, KeepingTransport, open_stage, registered, stage_on
from tpp_client.accounts import accounts_request, process_accounts_response
from tpp_client.consents import consent_status_request, process_consent_status_response
from tpp_client.errors import Refused, TppClientError, TransportFailed
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.following import SETTLED
from tpp_client.journeys.piis import piis_journey
from tpp_client.journeys.pis import pis_journey
from tpp_client.payments import payment_status_request, process_payment_response, process_payment_status_response
from tpp_client.transport import transport_for
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psd2.ids import PaymentId
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.stage import Stage

PREFIXES = {"sandbox": "SANDBOX", "gateway": "GATEWAY", "bank_backend": "BANK"}
PAYMENTS, AMOUNT_MINOR = 8, 1200
FAIL_CLOSED_SECONDS = 1.0
UNSURE = (503, "gateway.unsure")
# A call that waited for the database would take until the end of its patience.
AT_ONCE_SECONDS = 8.0


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """Lend a server of this module's own: the others must not feel these blows."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def settings(postgres: Postgres) -> dict[str, str]:
    urls = {f"{PREFIXES[service]}_DATABASE_URL": postgres.url(postgres.database()) for service in SERVICES}
    return urls | {"GATEWAY_STALE_SECONDS": str(FAIL_CLOSED_SECONDS)}


@pytest.fixture(scope="module")
def platform(settings: dict[str, str]) -> Iterator[RunningPlatform]:
    with running_platform(settings=settings) as running:
        yield running


@pytest.fixture(scope="module")
def identity(platform: RunningPlatform) -> TppIdentity:
    return registered(platform)


def test_every_journey(identity: TppIdentity) -> None:
    """Account information, a payment, funds confirmation."""
    with open_stage(identity) as stage:
        assert ais_journey(stage).reports
        assert pis_journey(stage, ANNA).status in SETTLED
        funds = piis_journey(stage, ANNA)

    assert (funds.small_is_covered, funds.huge_is_covered) == (True, False)


def test_a_restarted_platform_has_forgotten_nothing(platform: RunningPlatform, identity: TppIdentity) -> None:
    """Consent, token and payment are in PostgreSQL, not in a process."""
    with remembered(identity):
        platform.sandbox("down")
        platform.sandbox("up", "--detach", "--base-port", str(platform.ports.base))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_without_its_database_everything_is_refused_until_it_is_back(
    platform: RunningPlatform, identity: TppIdentity, postgres: Postgres, how: signal.Signals
) -> None:
    """Fail closed, 503 everywhere, and no server has to be restarted to recover."""
    before = pids(platform)
    with remembered(identity) as stage:
        postgres.stop(how)
        try:
            require_refused(stage)
            require_unavailable(platform, identity)
        finally:
            postgres.start()
    assert pids(platform) == before


def test_a_database_that_does_not_answer_is_as_one_that_is_gone(identity: TppIdentity, postgres: Postgres) -> None:
    """Behind a dead network nothing is refused, it just never comes: the edge must not wait for it."""
    with remembered(identity) as stage, postgres.frozen():
        require_refused(stage)


def test_a_database_that_crashes_in_the_middle_of_payments_keeps_the_books(identity: TppIdentity, postgres: Postgres) -> None:
    """What the account has lost is exactly what the settled payments took, whichever of them the blow interrupted."""
    with open_stage(identity) as stage, transport_for(identity) as transport:
        before = interim_available(stage)
        keeping = KeepingTransport(transport)
        with ThreadPoolExecutor(1) as pool:
            paying = pool.submit(pay_often, stage_on(identity, keeping))
            patiently(lambda: require_payments(keeping, PAYMENTS // 2))
            postgres.stop(signal.SIGQUIT)
            postgres.start()
            paying.result(timeout=90)

        statuses = [patiently(lambda payment=payment: status(stage, payment)) for payment in payments(keeping)]  # type: ignore[misc]
        after = patiently(lambda: interim_available(stage))

    settled = [each for each in statuses if each in SETTLED]
    assert len(settled) >= PAYMENTS
    assert before - after == len(settled) * AMOUNT_MINOR


@contextmanager
def remembered(identity: TppIdentity) -> Iterator[Stage]:
    """Grant and pay before the block; require that it stands after it, and that new journeys work.

    Lends the stage of before: whoever answers on its connection has let this TPP in and remembers it.
    """
    with open_stage(identity) as stage:
        granted, paid = ais_journey(stage), pis_journey(stage, ANNA)
        access = Access(token=granted.tokens.access_token, consent_id=granted.consent_id)
        accounts = process_accounts_response(accounts_request(stage.xs2a, access))
        yield stage
    with open_stage(identity) as stage:
        assert patiently(lambda: process_accounts_response(accounts_request(stage.xs2a, access))) == accounts
        assert process_consent_status_response(consent_status_request(stage.xs2a, granted.consent_id)) == "valid"
        assert status(stage, paid.payment_id) in SETTLED
        assert patiently(lambda: ais_journey(stage)).reports


def require_refused(stage: Stage) -> None:
    """Require that the edge lets nobody in, soon and for a while, and never keeps anybody waiting."""
    # Asked before, the edge would pass the call on, and the bank wait for its database in vain.
    time.sleep(FAIL_CLOSED_SECONDS)
    wait_until(lambda: refusal(stage) == UNSURE, seconds=BACK_SECONDS, what="a closed door")
    for _ in range(10):
        asked = time.monotonic()
        assert refusal(stage) == UNSURE
        assert time.monotonic() - asked < AT_ONCE_SECONDS
        time.sleep(0.05)


def refusal(stage: Stage) -> tuple[int, str | None]:
    """Return the status and the reason with which a call is refused: no consent is called "any"."""
    try:
        process_consent_status_response(consent_status_request(stage.xs2a, ConsentId("any")))
    except Refused as error:
        return error.refusal.status, error.refusal.reason
    except TransportFailed:
        # The edge has not noticed yet, and the bank has no database either: 503, tried again until the transport gives up.
        return HTTPStatus.SERVICE_UNAVAILABLE, None
    return HTTPStatus.OK, None


def require_unavailable(platform: RunningPlatform, identity: TppIdentity) -> None:
    """Require a clear 503 of each server that browsers and developers reach without the edge's checks."""
    authorize = f"{platform.front_url}/authorize?client_id={identity.client_id}&response_type=code&scope=AIS:1"
    registration = f"{platform.portal_url}/api/tpps/{identity.authorisation_number}"
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(platform.home.trust_bundle)
        for url in (authorize, f"{platform.front_url}/psu/{uuid.uuid4()}", registration):
            answer = session.get(url, timeout=60, headers={"Authorization": "Bearer x"})
            assert (url, answer.status_code, answer.headers.get("Retry-After")) == (url, 503, "1")
            assert "Traceback" not in answer.text
            assert "psycopg" not in answer.text


def pids(platform: RunningPlatform) -> dict[str, int]:
    return {server["name"]: server["pid"] for server in platform.status()["servers"]}


def pay_often(stage: Stage) -> None:
    """Pay again and again; what the blow interrupts is not tried anew, for whether it was done is the question."""
    made, give_up = 0, time.monotonic() + BACK_SECONDS
    while made < PAYMENTS and time.monotonic() < give_up:
        try:
            pis_journey(stage, ANNA)
            made += 1
        except TppClientError:
            time.sleep(0.2)


def payments(keeping: KeepingTransport) -> list[PaymentId]:
    initiated = [each for each in keeping.kept if each.request.method == "POST" and "/v1/payments/" in each.request.url]
    return [process_payment_response(each).payment_id for each in initiated if each.status == HTTPStatus.CREATED]


def require_payments(keeping: KeepingTransport, number: int) -> None:
    if len(payments(keeping)) < number:
        raise TppClientError("no payments yet")


def status(stage: Stage, payment_id: PaymentId) -> str:
    return process_payment_status_response(payment_status_request(stage.xs2a, payment_id))


def interim_available(stage: Stage) -> int:
    balances = ais_journey(stage).reports[0].balances
    return next(balance.amount.minor for balance in balances if balance.kind == "interimAvailable")
