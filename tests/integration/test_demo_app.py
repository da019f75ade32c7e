"""The demo app on a real platform: many people at once, restarts, a revoked certificate."""

from __future__ import annotations

import os
import re
import signal
import stat
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from chassis.addresses import Address
from psd2.clock import SystemClock
from tests.support.demo_app import APP, HeadlessBrowser
from tests.support.people import JOINT_SIGNATORIES
from tpp_client.bootstrap import identity_at
from tpp_client.discovery import discovery_request, process_discovery_response
from tpp_client.errors import TransportFailed
from tpp_client.sandbox_api import data_request, process_data_response
from tpp_client.transport import MutualTlsTransport, transport_for
from tpp_client.wire import HttpRequest
from tpp_client.xs2a import Xs2a

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.platform import RunningPlatform
    from tpp_client.sandbox_api import Persona

_LONGEST_SECONDS = 60.0


@pytest.fixture(scope="module")
def people(platform: RunningPlatform) -> tuple[Persona, ...]:
    identity = identity_at(platform.home.path, APP, clock=SystemClock())
    with transport_for(identity) as transport:
        return process_data_response(data_request(Xs2a(transport=transport, edge=identity.edge)))


def until(is_so: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _LONGEST_SECONDS
    while not is_so():
        assert time.monotonic() < give_up, "it did not come about in time"
        time.sleep(0.1)


def pid_of_demo(platform: RunningPlatform) -> int:
    return next(int(server["pid"]) for server in platform.status()["servers"] if server["name"] == "demo")


def test_several_people_at_once_see_their_own_accounts_only(platform: RunningPlatform, people: tuple[Persona, ...]) -> None:
    """Connected and read in parallel, several times over; by people whose consent one signature completes."""
    alone = [person for person in people if person.psu not in JOINT_SIGNATORIES]
    chosen = [person for person in alone if any(account.currency == "EUR" for account in person.accounts)][:5]
    assert len(chosen) == 5

    def look(person: Persona) -> list[set[str]]:
        browser = HeadlessBrowser(platform, psu=person.psu)
        assert browser.connect().status_code == 200
        return [browser.ibans() for _ in range(3)]

    with ThreadPoolExecutor(len(chosen)) as pool:
        seen = list(pool.map(look, chosen))

    for person, looks in zip(chosen, seen, strict=True):
        assert looks == [{account.iban for account in person.accounts}] * 3


def test_a_consent_that_two_must_sign_says_so(platform: RunningPlatform) -> None:
    """After the first signature nothing is opened, and the app says what is missing instead of an end."""
    browser = HeadlessBrowser(platform, psu="igor.stein")

    page = browser.connect()

    assert page.url == f"{browser.origin}/connection"
    assert "Another signature is needed" in page.text


def test_a_stolen_address_of_the_callback_opens_nothing(platform: RunningPlatform) -> None:
    """The victim's code in the thief's browser, with or without a state of the thief's own."""
    victim, thief = HeadlessBrowser(platform, psu="anna.weber"), HeadlessBrowser(platform, psu="anna.weber")
    back = victim.decide(victim.post("/connect").headers["Location"])
    own = re.search(r"state=([^&]+)", thief.post("/connect").headers["Location"])
    assert own is not None
    injected = re.sub(r"state=[^&]+", f"state={own[1]}", back)

    assert thief.get(back).status_code == 400
    refused = thief.get(injected)  # PKCE: the code belongs to another verifier
    assert refused.status_code == 502
    assert "invalid_grant" in refused.text
    assert thief.get("/accounts", allow_redirects=False).status_code == 303


def test_money_moves(platform: RunningPlatform, people: tuple[Persona, ...]) -> None:
    """What was paid is missing from the balance afterwards; the receipt says that it has arrived: the payee banks here too."""
    browser = HeadlessBrowser(platform, psu="anna.weber")
    browser.connect()
    anna = next(person for person in people if person.psu == "anna.weber")
    payee = next(person for person in people if person.psu != "anna.weber")
    account = f"/accounts/{anna.accounts[0].account_id}"
    before = _balance(browser.get(account).text)
    sent = browser.post(
        "/payments/new",
        order_id=str(uuid.uuid4()),
        debtor=anna.accounts[0].iban,
        creditor_name=payee.name,
        creditor_iban=payee.accounts[0].iban,
        amount="12.34",
        remittance="Lunch",
    )
    assert sent.status_code == 303, sent.text
    receipt = browser.get(browser.decide(sent.headers["Location"]))

    assert "ACCC" in receipt.text
    assert "settled: the money has arrived" in receipt.text
    assert before - _balance(browser.get(account).text) == 1234


def test_a_consent_that_another_connection_replaced_is_told(platform: RunningPlatform) -> None:
    """The same PSU connects elsewhere: the bank ends the earlier consent (BG IG §4.14.2), and the first browser is told."""
    first, second = HeadlessBrowser(platform, psu="anna.weber"), HeadlessBrowser(platform, psu="anna.weber")
    first.connect()
    second.connect()

    page = first.get("/accounts")
    assert page.url == f"{first.origin}/"
    assert "The connection to your bank has ended" in page.text
    assert second.get("/accounts", allow_redirects=False).status_code == 200


def test_a_connection_outlives_a_killed_app(platform: RunningPlatform) -> None:
    """The supervisor starts it again, and what was remembered is there."""
    browser = HeadlessBrowser(platform, psu="anna.weber")
    browser.connect()
    pid = pid_of_demo(platform)
    os.killpg(pid, signal.SIGKILL)

    until(lambda: pid_of_demo(platform) != pid and _answers(browser))
    assert browser.get("/accounts", allow_redirects=False).status_code == 200


def test_secrets_stay_in_sealed_files_of_their_owner(platform: RunningPlatform) -> None:
    """Modes 0600; no cookie, code or token in any log of any server."""
    browser = HeadlessBrowser(platform, psu="anna.weber")
    back = browser.decide(browser.post("/connect").headers["Location"])
    browser.get(back)
    code = re.search(r"code=([^&]+)", back)
    assert code is not None
    cookie = browser.session.cookies.get("__Host-kontoblick")
    assert cookie

    for name in ("demo.key", "demo.sqlite", "demo.sqlite-wal"):
        assert stat.S_IMODE((platform.home.var / name).stat().st_mode) == 0o600
    written = b"".join(file.read_bytes() for file in Path(platform.home.log).iterdir() if file.is_file())
    written += b"".join(file.read_bytes() for file in platform.home.var.glob("demo.sqlite*"))
    assert code[1].encode() not in written
    assert cookie.encode() not in written


def test_a_server_is_reached_at_another_address_and_still_verified(platform: RunningPlatform) -> None:
    """A detour changes where to connect; the certificate must be for the public name all the same."""
    identity = identity_at(platform.home.path, APP, clock=SystemClock())
    there = Address("127.0.0.1", platform.ports.edge)
    nowhere = {"https://localhost:9": there}
    with transport_for(identity, detours=nowhere) as transport:
        answer = transport.send(HttpRequest(method="GET", url="https://localhost:9/sandbox/v1/data"))
        assert answer.status == 200
        direct = process_discovery_response(discovery_request(transport, identity.issuer), issuer=identity.issuer)
        assert direct.issuer == identity.issuer
    stranger = {"https://bank.example:9": there}
    with (
        MutualTlsTransport(cafile=identity.cafile, credential=identity.qwac, detours=stranger) as transport,
        pytest.raises(TransportFailed, match=r"bank\.example"),
    ):
        transport.send(HttpRequest(method="GET", url="https://bank.example:9/sandbox/v1/data"))


def test_a_revoked_certificate_is_a_clear_page_and_a_new_one_is_taken_up(platform: RunningPlatform) -> None:
    """Nothing needs a restart; the connection stands, and its token is renewed for the new certificate."""
    browser = HeadlessBrowser(platform, psu="anna.weber")
    browser.connect()
    platform.sandbox("cert", "revoke", APP)

    until(lambda: browser.get("/accounts").status_code == 503)
    page = browser.get("/accounts").text
    assert "does not let this app in" in page
    assert "CERTIFICATE_REVOKED" in page
    platform.sandbox("cert", "issue", APP)
    until(lambda: browser.get("/accounts", allow_redirects=False).status_code == 200)


def _balance(page: str) -> int:
    found = re.search(r'total-amount">([^<]+)\u00a0EUR', page)
    assert found is not None
    return int(re.sub(r"\D", "", found[1]))


def _answers(browser: HeadlessBrowser) -> bool:
    try:
        return browser.get("/disconnected").status_code == 200
    except requests.RequestException:
        return False
