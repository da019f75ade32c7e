"""Two TPPs hammer one bank, while one of them takes and restores snapshots: neither sees the other's, nothing is half-way."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.snapshots.state_store import SqlStateStore
from tests.support.bank_core import ANNA, OTHER_TENANT, TENANT, lent_bank
from tests.support.bank_sca import CONSENTS, PAYMENTS, BankDesk, Tpp, consent_body, payment_body
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psd2.ids import TenantId
    from tests.support.bank_core import SeededBank
    from tests.support.databases import Databases

_THREADS_A_TENANT, _RESTORES = 2, 3
# What each hammers before a restore, between two, and after the last: answers with what was asked for.
_STROKES, _MOST_SECONDS = 2, 60.0
# What a restore may make of a call that was under way: unknown, over, or to be sent again. Never a failure of the bank.
_ORDINARY = frozenset({200, 201, 202, 204, 400, 401, 403, 404, 409, 429, 503})


@pytest.fixture
def bank(databases: Databases) -> Iterator[SeededBank]:
    """Lend a seeded bank with two tenants."""
    bank = lent_bank(databases)
    yield bank
    bank.database.engine.dispose()


@dataclass
class Hammer:
    """One TPP that makes consents and payments, has them approved, and reads, again and again until it is stopped."""

    desk: BankDesk
    tenant: TenantId
    stopped: threading.Event
    statuses: list[int] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def run(self) -> None:
        tpp = Tpp(self.desk.app.test_client(), tenant=self.tenant)
        iban = self.desk.bank.services.accounts.accounts_of(self.tenant, ANNA)[0].iban
        while not self.stopped.is_set():
            try:
                self._round(tpp, iban)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
                self.faults.append(f"{type(error).__name__}: {error}")

    def _round(self, tpp: Tpp, iban: str) -> None:
        payment = self._noted(tpp.post(PAYMENTS, payment_body(iban, instructedAmount={"currency": "EUR", "amount": "0.01"})))
        self._decide("pis", (payment or {}).get("paymentId"))
        consent = (self._noted(tpp.post(CONSENTS, consent_body())) or {}).get("consentId")
        self._decide("ais", consent)
        reader = Tpp(tpp.client, tenant=self.tenant, scope=f"AIS:{consent}", subject=ANNA)
        accounts = self._noted(reader.get("/v1/accounts", Consent_ID=str(consent))) or {}
        for account in accounts.get("accounts", []):
            self.seen.add(account["iban"])
            path = f"/v1/accounts/{account['resourceId']}/transactions?bookingStatus=both"
            self._noted(reader.get(path, Consent_ID=str(consent)))

    def _decide(self, kind: str, resource: str | None) -> None:
        if resource is None:
            # A restore came between: nothing was made, and the answer that said so has been noted.
            return
        body = {
            "tenant": self.tenant,
            "kind": kind,
            "resource": resource,
            "client_id": self.tenant,
            "client_name": "Fintech App",
            "return_url": "https://localhost:8441/authorize/resume/one-time",
        }
        begun = self._noted(self.desk.internal("POST", "/internal/interactions", body))
        if begun is not None:
            path = f"/internal/interactions/{begun['interaction']}/decision"
            self._noted(self.desk.internal("POST", path, {"psu": ANNA, "result": "APPROVED"}))

    def _noted(self, answer: Any) -> dict[str, Any] | None:
        self.statuses.append(answer.status_code)
        if answer.status_code not in _ORDINARY:
            self.faults.append(answer.text[:300])
        return answer.json if answer.status_code < 300 else None


def ids_of(bank: SeededBank, tenant: TenantId) -> dict[str, set[Any]]:
    with bank.database.reading() as connection:
        state = SqlStateStore().read(connection, tenant)
    return {name: {row[0] for row in table.rows} for name, table in state.tables.items() if "id" in table.columns[:1]}


def await_strokes(hammers: list[Hammer]) -> None:
    """Wait until every hammer has struck some more."""
    due = [hammer.statuses.count(200) + _STROKES for hammer in hammers]

    def have_struck() -> bool:
        return all(hammer.statuses.count(200) >= count for hammer, count in zip(hammers, due, strict=True))

    wait_until(have_struck, seconds=_MOST_SECONDS, what="answers to every hammer")


def test_neither_sees_the_other_while_one_is_restored_again_and_again(bank: SeededBank) -> None:
    """Every answer is ordinary, every account is one's own, each restore is exact, and the books of both are right."""
    desk, stopped = BankDesk(bank), threading.Event()
    snapshots = bank.services.test_data.snapshots
    snapshots.take(TENANT, "start")
    hammers = [Hammer(desk, tenant, stopped) for tenant in (TENANT, OTHER_TENANT) for _ in range(_THREADS_A_TENANT)]
    threads = [threading.Thread(target=hammer.run) for hammer in hammers]
    for thread in threads:
        thread.start()

    for number in range(_RESTORES):
        await_strokes(hammers)
        snapshots.take(TENANT, f"meanwhile-{number}")
        snapshots.restore(TENANT, f"meanwhile-{number}" if number % 2 else "start")
    await_strokes(hammers)
    stopped.set()
    for thread in threads:
        thread.join(timeout=_MOST_SECONDS)

    assert [fault for hammer in hammers for fault in hammer.faults] == []
    own = {
        tenant: {account.iban for account in bank.services.accounts.accounts_of(tenant, ANNA)}
        for tenant in (TENANT, OTHER_TENANT)
    }
    assert all(hammer.seen == own[hammer.tenant] for hammer in hammers)
    one, other = ids_of(bank, TENANT), ids_of(bank, OTHER_TENANT)
    assert all(not one[name] & other[name] for name in one)
    with bank.database.reading() as connection:
        assert bank.services.ledger.reconcile(connection).is_right
    before = ids_of(bank, OTHER_TENANT)
    snapshots.restore(TENANT, "start")
    with bank.database.reading() as connection:
        state = SqlStateStore().read(connection, TENANT)
    assert not state.tables["payments"].rows
    assert ids_of(bank, OTHER_TENANT) == before


def test_a_restore_waits_for_whoever_is_writing(bank: SeededBank) -> None:
    """A transaction that has begun ends before anything under it is replaced; then the restore goes on."""
    snapshots = bank.services.test_data.snapshots
    snapshots.take(TENANT, "start")
    done = threading.Event()

    def restore() -> None:
        snapshots.restore(TENANT, "start")
        done.set()

    with bank.database.writing():
        thread = threading.Thread(target=restore)
        thread.start()
        assert not done.wait(1.5)
    assert done.wait(60)
    thread.join(timeout=60)
