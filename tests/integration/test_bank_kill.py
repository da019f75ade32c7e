"""SIGKILL of the bank's processes, again and again, under 25 payments a second: whatever it acknowledged, it did once.

`BANK_TESTS=full` makes the rush longer, and 50 payments a second.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from bank_backend.ledger.reconcile import reconcile_bank
from bank_backend.ledger.tables import entries, postings
from bank_backend.payments.store import payments
from chassis.peers import PeerAnswer, PeerUnavailable
from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, TENANT, SeededBank, lent_bank
from tests.support.bank_sca import ELSEWHERE, PAYMENTS, payment_body
from tests.support.bank_server import BankServer, bank_server
from tests.support.sizes import sized

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.databases import Databases

SECONDS = sized(3, full=20)
PAYMENTS_A_SECOND = sized(25, full=50)
CALLERS = 16
BETWEEN_KILLS_SECONDS = 1.2
# How long a caller goes on asking for one answer, over restarts and other people's tests.
PATIENCE_SECONDS = 60.0
# What it may be told meanwhile: a failure of the moment, or that another try of its own is ahead.
WORTH_A_RETRY = {409, 500, 502, 503, 504}
# With another bank, and with this one.
SETTLED = {"ACSC", "ACCC"}
CENT = Money(1, "EUR")
IDENTITY = {
    "X-Sandbox-Listener": "edge",
    "X-Sandbox-Tpp": TENANT,
    "X-Sandbox-Roles": "PSP_PI",
    "X-Sandbox-Client": "client-1",
    "PSU-IP-Address": "192.0.2.7",
}

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finding the workers takes Linux' /proc")


@dataclass
class Rush:
    """A TPP whose payments don't stop for anything: what gets no answer is asked again, as it was."""

    server: BankServer
    ibans: dict[str, str]
    seconds: list[float] = field(default_factory=list)
    repeated: Counter[str] = field(default_factory=Counter)

    def pay(self, number: int) -> str:
        """Initiate a payment and have it approved; returns its id once the bank has acknowledged both."""
        began = time.monotonic()
        # They cross: Anna pays Jonas while he pays her, and every third leaves the bank.
        payer, payee = (ANNA, JONAS) if number % 2 else (JONAS, ANNA)
        creditor = ELSEWHERE if number % 3 == 0 else self.ibans[payee]
        body = payment_body(
            self.ibans[payer],
            instructedAmount={"currency": "EUR", "amount": CENT.decimal},
            creditorAccount={"iban": creditor},
        )
        headers = IDENTITY | {"X-Request-ID": str(uuid.uuid4())}
        payment = self.insist("initiate", 201, lambda: self.post(PAYMENTS, body, headers)).json()["paymentId"]
        self.insist("approve", 200, lambda: self.approve(payment, payer))
        self.seconds.append(time.monotonic() - began)
        return str(payment)

    def approve(self, payment: str, payer: str) -> PeerAnswer:
        """Be the payer; where an earlier try was heard though its answer was lost, the payment is settled."""
        path = f"{PAYMENTS}/{payment}/status"
        status = self.server.gateway.get(path, headers=IDENTITY | {"X-Request-ID": str(uuid.uuid4())})
        if status.status_code != HTTPStatus.OK or status.json()["transactionStatus"] in SETTLED:
            return status
        begun = self.post("/internal/interactions", self.visit(payment))
        if begun.status_code != HTTPStatus.CREATED:
            return begun
        decision = {"psu": payer, "result": "APPROVED"}
        return self.post(f"/internal/interactions/{begun.json()['interaction']}/decision", decision)

    def visit(self, payment: str) -> dict[str, str]:
        return {
            "tenant": TENANT,
            "kind": "pis",
            "resource": payment,
            "client_id": TENANT,
            "client_name": "Fintech App",
            "return_url": f"{self.server.front_url}/authorize/resume/one-time",
        }

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> PeerAnswer:
        return self.server.gateway.post(path, json=body, headers=headers)

    def insist(self, what: str, status: int, ask: Callable[[], PeerAnswer]) -> PeerAnswer:
        """Ask until the answer is the one that is due."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            told = "no answer"
            with suppress(PeerUnavailable):
                answer = ask()
                if answer.status_code == status:
                    return answer
                told = f"{answer.status_code} {answer.text[:300]}"
                assert answer.status_code in WORTH_A_RETRY, f"{what}: {told}"
            assert time.monotonic() < deadline, f"{what}: {told}"
            self.repeated[f"{what}: {told[:3]}"] += 1
            time.sleep(0.05)


@dataclass
class Killer:
    """Kills workers, one after another or all at once, until it is told to stop."""

    server: BankServer
    stopped: threading.Event = field(default_factory=threading.Event)
    killed: int = 0

    def go_on(self) -> None:
        chance = random.Random(7)  # noqa: S311 - which one dies is no secret
        while not self.stopped.wait(BETWEEN_KILLS_SECONDS):
            workers = self.server.workers()
            for worker in workers if chance.random() < 0.3 else workers[:1]:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                    self.killed += 1


@pytest.fixture
def standing(databases: Databases, tmp_path: Path) -> Iterator[tuple[SeededBank, BankServer]]:
    """Run a seeded bank on each engine, with a look into its database."""
    bank = lent_bank(databases)
    with bank_server(tmp_path, bank.database.engine.url.render_as_string(hide_password=False)) as server:
        yield bank, server
    bank.database.engine.dispose()


def test_what_the_bank_acknowledged_it_did_exactly_once(standing: tuple[SeededBank, BankServer]) -> None:
    """Every payment ends settled, with one entry of its own and its one cent moved; the books are right to the cent."""
    bank, server = standing
    accounts = {psu: bank.account(psu) for psu in (ANNA, JONAS)}
    rush = Rush(server, {psu: account.iban for psu, account in accounts.items()})
    killer = Killer(server)
    began = time.monotonic()

    acknowledged = under_fire(rush, killer)

    took = time.monotonic() - began
    tell(rush, killer, len(acknowledged), took)
    assert killer.killed >= SECONDS / BETWEEN_KILLS_SECONDS / 2
    with bank.database.reading() as connection:
        statuses = {row.id: row.status for row in connection.execute(select(payments.c.id, payments.c.status))}
        origins = connection.execute(select(entries.c.origin).where(entries.c.origin.is_not(None))).scalars()
        booked = Counter(origin.partition(":")[0] for origin in origins)
        moved = connection.execute(
            select(postings.c.amount_minor)
            .join(entries, entries.c.id == postings.c.entry_id)
            .where(entries.c.origin.is_not(None))
        ).scalars()
        found = reconcile_bank(connection)
        assert set(moved) == {1, -1}
    assert statuses.keys() == set(acknowledged)
    assert set(statuses.values()) <= SETTLED
    assert booked == dict.fromkeys(acknowledged, 1)
    assert list(found.findings) == []


def under_fire(rush: Rush, killer: Killer) -> list[str]:
    """Make so many payments a second, whoever is killed meanwhile; returns those acknowledged."""
    killing = threading.Thread(target=killer.go_on)
    killing.start()
    with ThreadPoolExecutor(CALLERS) as pool:
        paying = []
        began = time.monotonic()
        for number in range(SECONDS * PAYMENTS_A_SECOND):
            time.sleep(max(0.0, began + number / PAYMENTS_A_SECOND - time.monotonic()))
            paying.append(pool.submit(rush.pay, number))
        killer.stopped.set()
        killing.join()
        return [future.result(PATIENCE_SECONDS) for future in paying]


def tell(rush: Rush, killer: Killer, count: int, took: float) -> None:
    """Say how it went: `pytest -rP` shows it."""
    slowest = sorted(rush.seconds)[int(len(rush.seconds) * 0.99)]
    text = f"{count} payments in {took:.1f} s, offered in {SECONDS:g} s; {killer.killed} workers killed; p99 {slowest:.2f} s"
    sys.stdout.write(f"{text}\n{dict(rush.repeated)}\n")
