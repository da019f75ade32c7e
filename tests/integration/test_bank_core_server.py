"""The bank as it runs: gunicorn, mutual TLS with the internal CA, a database migrated by its own command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from chassis.addresses import Address
from chassis.home import Home
from chassis.peers import Peer, PeerSession, PeerUnavailable
from tests.support.internal_home import internal_home
from tests.support.platform import free_base_port
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases

TENANT = "PSDDE-BAFIN-100001"
IDENTITY = {
    "X-Sandbox-Tpp": TENANT,
    "X-Sandbox-Roles": "PSP_AI",
    "X-Sandbox-Listener": "edge",
    "X-Request-ID": "99391c7e-ad88-49ec-a2ad-99ddcb1f7721",
}
TOKEN = {"X-Sandbox-Client": "client-1", "X-Sandbox-Scope": "AIS:x", "X-Sandbox-Subject": "anna.weber"}
# Making a tenant seeds 13 months of transactions.
SEED_SECONDS = (2.0, 30.0)


# What is served, and to whom, is the same on each engine; whole servers on PostgreSQL: test_platform_on_postgresql.
on_one_engine = pytest.mark.parametrize("module_databases", ["sqlite"], indirect=True)


class RunningBank:
    """A running bank and the sessions of its callers."""

    def __init__(self, home: Home, port: int) -> None:
        self.gateway, self.portal = (
            PeerSession(Peer(name="bank", address=Address("localhost", port), home=home, caller=caller))
            for caller in ("gateway", "portal")
        )

    def answers(self) -> bool:
        try:
            return self.portal.get("/health").json() == {"status": "ok"}
        except PeerUnavailable:
            return False


@pytest.fixture(scope="module")
def running(module_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBank]:
    """Migrate and start the bank."""
    home, base_port = Home(tmp_path_factory.mktemp("home")), free_base_port()
    internal_home(home)
    environment = os.environ | {
        "BANK_HOME": str(home.path),
        "BANK_BASE_PORT": str(base_port),
        "BANK_DATABASE_URL": module_databases.empty(),
    }
    subprocess.run([sys.executable, "-m", "bank_backend.database"], env=environment, check=True, timeout=60)
    command = [sys.executable, "-m", "gunicorn", "-c", "python:bank_backend.server", "bank_backend.wsgi:bank()"]
    process = subprocess.Popen(command, env=environment)
    bank = RunningBank(home, base_port + 5)
    try:
        wait_until(bank.answers, seconds=90, what="the bank")
        yield bank
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


@on_one_engine
def test_the_portal_registers_and_the_tpp_sees_its_personas(running: RunningBank) -> None:
    """What the portal is told on registration is what the TPP reads through the edge."""
    registration = {"name": "Fintech Example", "country": "DE", "roles": ["PSP_AI"]}
    made = running.portal.put(f"/internal/tenants/{TENANT}", json=registration, timeout=SEED_SECONDS)
    again = running.portal.put(f"/internal/tenants/{TENANT}", json=registration)

    seen = running.gateway.get("/sandbox/v1/data", headers=IDENTITY)

    assert (made.status_code, again.status_code) == (201, 200)
    assert seen.json() == made.json() == again.json()


@on_one_engine
def test_the_portal_cannot_speak_for_a_tpp(running: RunningBank) -> None:
    """The same identity headers, from the portal's certificate, are worth nothing."""
    answer = running.portal.get("/v1/accounts", headers=IDENTITY | {"Consent-ID": "x"})

    assert answer.status_code == 403
    assert answer.json()["tppMessages"][0]["code"] == "SERVICE_BLOCKED"


@on_one_engine
def test_a_consent_that_never_was_opens_nothing(running: RunningBank) -> None:
    """The whole application is wired: the consent is asked, and refuses (400 for the header, BG IG §14.11.1)."""
    answer = running.gateway.get("/v1/accounts", headers=IDENTITY | TOKEN | {"Consent-ID": "x"})

    assert answer.status_code == 400
    assert answer.json()["tppMessages"][0]["code"] == "CONSENT_UNKNOWN"
    assert answer.headers["X-Request-ID"] == IDENTITY["X-Request-ID"]


@on_one_engine
def test_without_a_token_a_consent_is_not_even_looked_for(running: RunningBank) -> None:
    """Whoever brings no token learns nothing of which consents there are (BG IG §14.11.1)."""
    answer = running.gateway.get("/v1/accounts", headers=IDENTITY | {"Consent-ID": "x"})

    assert answer.status_code == 401
    assert answer.json()["tppMessages"][0]["code"] == "TOKEN_UNKNOWN"


def test_a_bank_without_a_migrated_database_does_not_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    """It says which command to run instead of failing on the first request."""
    home = Home(tmp_path_factory.mktemp("bare"))
    command = [sys.executable, "-c", "from bank_backend.wsgi import bank; bank()"]

    ended = subprocess.run(
        command, env=os.environ | {"BANK_HOME": str(home.path)}, capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode != 0
    assert "run python -m bank_backend.database" in ended.stderr


def test_a_setting_that_makes_no_sense_is_named() -> None:
    """The migration command, which runs first, says which variable is wrong."""
    environment = os.environ | {"BANK_BASE_PORT": "80"}

    ended = subprocess.run(
        [sys.executable, "-m", "bank_backend.database"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 3
    assert ended.stderr.startswith("BANK_BASE_PORT: ")
