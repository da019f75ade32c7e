"""A bank's life in random steps: payments of each kind, consents, money from outside, time, kills, failures half-way.

After each step no payment and no consent has made an illegal move and no money was made or lost; after each life the whole bank
reconciles. `BANK_TESTS=full` lives more and longer lives.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from bank_backend.consents.model import CONSENT_STATES, ConsentStatus
from bank_backend.ledger.orders import IncomingTransfer
from bank_backend.ledger.reconcile import reconcile_bank
from bank_backend.ledger.tables import entries, postings
from bank_backend.payments.model import PAYMENT_STATES, TransactionStatus
from psd2.money import Money
from tests.support.bank_core import ANNA, JONAS, KARL, NOW, TENANT, TOM, SeededBank, lent_bank, open_bank
from tests.support.bank_payments import (
    BULK,
    CROSS_BORDER,
    INSTANT,
    PERIODIC,
    SEPA,
    SINGLE,
    TARGET_2,
    Till,
    entry,
)
from tests.support.bank_sca import CONSENTS, BankDesk
from tests.support.sizes import sized

if TYPE_CHECKING:
    from bank_backend.states import StateMachine
    from psd2.ids import PsuId
    from tests.support.databases import Databases

LIVES = sized(2, full=40)
STEPS = sized(25, full=50)
# To begin anew takes longer than anything else.
BETWEEN_KILLS = 12
PEOPLE = (ANNA, JONAS, KARL, TOM)
# Up to more than anybody has: refusals are part of life.
amounts = st.one_of(st.integers(min_value=1, max_value=20_000), st.integers(min_value=1, max_value=400_000))
# Most payers approve what they have just ordered; the others may do so later, or never.
mostly = st.sampled_from([True, True, True, False])
people = st.sampled_from(PEOPLE)
days = st.integers(min_value=0, max_value=5)


class TornError(RuntimeError):
    """What stops a transaction half-way."""


class BankLife(RuleBasedStateMachine):
    """One bank from its seed on; the model is what each payment and consent was seen as last, and what came from outside."""

    payments: Bundle[str] = Bundle("payments")
    consents: Bundle[str] = Bundle("consents")

    def __init__(self, bank: SeededBank, url: str) -> None:
        """Begin with a seeded bank."""
        super().__init__()
        self.url = url
        self._live_on(bank)
        # Payments and consents by path, with the status that was seen last.
        self.seen: dict[str, str] = {}

    def _live_on(self, bank: SeededBank) -> None:
        self.bank, self.desk = bank, BankDesk(bank)
        self.steps_since_kill = 0

    def _till(self, psu: PsuId) -> Till:
        return Till(self.desk, psu)

    def _iban(self, psu: PsuId) -> str:
        return self.bank.account(psu).iban

    def _made(self, psu: PsuId, service: str, product: str, body: dict[str, Any], *, approves: bool) -> str:
        """Initiate a payment, and perhaps approve it; returns its path, or nothing where the bank refuses it."""
        answer = self._till(psu).post(service, product, body)
        assert answer.status_code in {201, 400, 401, 403}, answer.text
        if answer.status_code != HTTPStatus.CREATED:
            return ""
        path = str(answer.headers["Location"])
        self.seen[path] = "RCVD"
        if approves:
            self._decide("pis", path, psu, "APPROVED")
        return path

    def _day(self, after: int) -> str:
        return (self.bank.services.clock.now(TENANT).date() + timedelta(days=after)).isoformat()

    @rule(
        target=payments,
        payer=people,
        payee=people,
        minor=amounts,
        product=st.sampled_from([SEPA, INSTANT]),
        leaves=st.booleans(),
        after=days,
        approves=mostly,
    )
    def initiate_single(
        self, *, payer: PsuId, payee: PsuId, minor: int, product: str, leaves: bool, after: int, approves: bool
    ) -> str:
        """Pay now or some days on, within the bank or out of it."""
        body = entry(Money(minor, "EUR").decimal) if leaves else entry(Money(minor, "EUR").decimal, iban=self._iban(payee))
        body |= {"debtorAccount": {"iban": self._iban(payer)}}
        return self._made(
            payer, SINGLE, product, body | ({"requestedExecutionDate": self._day(after)} if after else {}), approves=approves
        )

    @rule(target=payments, payer=people, minor=amounts, bearer=st.sampled_from(["DEBT", "SHAR", "CRED"]), approves=mostly)
    def initiate_with_charges(self, *, payer: PsuId, minor: int, bearer: str, approves: bool) -> str:
        """Pay by TARGET, which costs something."""
        body = entry(Money(minor, "EUR").decimal) | {"debtorAccount": {"iban": self._iban(payer)}, "chargeBearer": bearer}
        return self._made(payer, SINGLE, TARGET_2, body, approves=approves)

    @rule(target=payments, payer=people, minor=amounts, currency=st.sampled_from(["USD", "GBP", "JPY"]), approves=mostly)
    def initiate_abroad(self, *, payer: PsuId, minor: int, currency: str, approves: bool) -> str:
        """Pay in another currency."""
        body = entry(Money(minor, currency).decimal, iban="GB33BUKB20201555555555", currency=currency)
        body |= {"debtorAccount": {"iban": self._iban(payer)}, "chargeBearer": "SHAR"}
        return self._made(payer, SINGLE, CROSS_BORDER, body, approves=approves)

    @rule(
        target=payments,
        payer=people,
        parts=st.lists(st.tuples(people, amounts), min_size=1, max_size=4),
        batch=st.booleans(),
        after=days,
        approves=mostly,
    )
    def initiate_bulk(self, *, payer: PsuId, parts: list[tuple[PsuId, int]], batch: bool, after: int, approves: bool) -> str:
        """Pay several in one, booked each for itself or as a batch."""
        payees = [entry(Money(minor, "EUR").decimal, iban=self._iban(payee)) for payee, minor in parts]
        body = self._till(payer).bulk_body(*payees, batchBookingPreferred=batch)
        return self._made(
            payer, BULK, SEPA, body | ({"requestedExecutionDate": self._day(after)} if after else {}), approves=approves
        )

    @rule(
        target=payments,
        payer=people,
        payee=people,
        minor=amounts,
        frequency=st.sampled_from(["Daily", "Weekly", "Monthly"]),
        after=days,
        approves=mostly,
    )
    def initiate_periodic(self, *, payer: PsuId, payee: PsuId, minor: int, frequency: str, after: int, approves: bool) -> str:
        """Make a standing order."""
        body = entry(Money(minor, "EUR").decimal, iban=self._iban(payee))
        body |= {"debtorAccount": {"iban": self._iban(payer)}, "startDate": self._day(after), "frequency": frequency}
        return self._made(payer, PERIODIC, SEPA, body | {"endDate": self._day(after + 40)}, approves=approves)

    @rule(payment=payments, psu=people, yes=st.booleans(), again=st.booleans())
    def decide(self, *, payment: str, psu: PsuId, yes: bool, again: bool) -> None:
        """Have a PSU decide; only the payer can, and only once."""
        if payment:
            for _ in range(1 + again):
                self._decide("pis", payment, psu, "APPROVED" if yes else "REJECTED")

    @rule(payment=payments)
    def approve(self, *, payment: str) -> None:
        """Have the payer approve."""
        if payment:
            for psu in PEOPLE:
                self._decide("pis", payment, psu, "APPROVED")

    def _decide(self, kind: str, path: str, psu: PsuId, result: str) -> None:
        begun = self.desk.internal("POST", "/internal/interactions", self._visit(kind, path.rpartition("/")[2]))
        assert begun.status_code in {201, 404, 409}, begun.text
        if begun.status_code == 201:
            decided = self.desk.decide(str(begun.json["interaction"]), psu=psu, result=result)  # type: ignore[index]
            assert decided.status_code in {200, 409, 422}, decided.text

    def _visit(self, kind: str, resource: str) -> dict[str, str]:
        return {
            "tenant": TENANT,
            "kind": kind,
            "resource": resource,
            "client_id": TENANT,
            "client_name": "Fintech App",
            "return_url": "https://localhost:8441/authorize/resume/one-time",
        }

    @rule(payment=payments)
    def cancel(self, *, payment: str) -> None:
        """Withdraw it; the payer agrees where that is asked for."""
        if not payment:
            return
        answer = self.desk.tpp.delete(payment)
        assert answer.status_code in {202, 204, 405}, answer.text
        if answer.status_code == HTTPStatus.ACCEPTED:
            started = self.desk.tpp.post(f"{payment}/cancellation-authorisations", {})
            assert started.status_code == HTTPStatus.CREATED, started.text
            # A visit is to what waits for the payer: now that is the cancellation.
            for psu in PEOPLE:
                self._decide("pis", payment, psu, "APPROVED")

    @rule(target=consents, psu=people, often=st.booleans(), approves=mostly)
    def ask_for_consent(self, *, psu: PsuId, often: bool, approves: bool) -> str:
        """Ask for one account, recurring or once."""
        access = {"balances": [{"iban": self._iban(psu)}]}
        consent = self.desk.consent(access=access, recurringIndicator=often, frequencyPerDay=4 if often else 1)
        self.seen[f"{CONSENTS}/{consent}"] = "received"
        if approves:
            self._decide("ais", consent, psu, "APPROVED")
        return consent

    @rule(consent=consents, psu=people, yes=st.booleans())
    def decide_consent(self, *, consent: str, psu: PsuId, yes: bool) -> None:
        """Decide, as the account's holder or as somebody who can't."""
        self._decide("ais", consent, psu, "APPROVED" if yes else "REJECTED")

    @rule(consent=consents)
    def end_consent(self, *, consent: str) -> None:
        """End what the TPP doesn't need any more."""
        assert self.desk.tpp.delete(f"{CONSENTS}/{consent}").status_code in {204, 401, 403, 409}

    @rule(payee=people, minor=amounts, currency=st.sampled_from(["EUR", "EUR", "USD"]))
    def receive(self, *, payee: PsuId, minor: int, currency: str) -> None:
        """Credit a customer from outside."""
        what = IncomingTransfer(
            tenant=TENANT, creditor_iban=self._iban(payee), amount=Money(minor, currency), debtor_name="Somebody"
        )
        with self.bank.database.writing() as connection:
            now = self.bank.services.clock.now(TENANT, connection)
            self.bank.services.ledger.receive(connection, what, now)

    @rule(hours=st.sampled_from([1, 5, 24, 24 * 7]))
    def pass_time(self, *, hours: int) -> None:
        """Put the clock forward and do all that is due."""
        self.bank.clock.advance(timedelta(hours=hours))
        self.bank.services.scheduler.run_due(TENANT)

    @rule(hours=st.integers(min_value=1, max_value=72))
    def pass_time_in_the_background(self, *, hours: int) -> None:
        """Put the clock forward and do some of what is due, as the runner's thread does."""
        self.bank.clock.advance(timedelta(hours=hours))
        self.bank.services.scheduler.run_pass()

    @precondition(lambda self: self.steps_since_kill >= BETWEEN_KILLS)
    @rule()
    def kill(self) -> None:
        """End all processes; others begin on what is committed."""
        clock = self.bank.clock
        self.bank.database.engine.dispose()
        bank = open_bank(self.url)
        bank.clock.advance(clock.now() - NOW)
        self._live_on(bank)

    @rule(payer=people, payee=people, minor=amounts)
    def tear(self, *, payer: PsuId, payee: PsuId, minor: int) -> None:
        """Fail after booking: nothing is left of it."""
        what = IncomingTransfer(
            tenant=TENANT, creditor_iban=self._iban(payee), amount=Money(minor, "EUR"), debtor_name=str(payer)
        )
        before = self._booked_entries()
        with pytest.raises(TornError):
            self._book_and_fail(what)
        assert self._booked_entries() == before

    def _book_and_fail(self, what: IncomingTransfer) -> None:
        with self.bank.database.writing() as connection:
            self.bank.services.ledger.receive(connection, what, self.bank.services.clock.now(TENANT, connection))
            raise TornError

    def _booked_entries(self) -> int:
        with self.bank.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(entries)).scalar_one()

    @invariant()
    def nobody_moves_illegally(self) -> None:
        """Each status is the one seen last, or one that can follow it."""
        self.steps_since_kill += 1
        for path, before in self.seen.items():
            self.seen[path] = self._moved_legally(path, before)

    def _moved_legally(self, path: str, before: str) -> str:
        answer = self.desk.tpp.get(f"{path}/status", Accept="application/json")
        assert answer.status_code == HTTPStatus.OK, answer.text
        if path.startswith(CONSENTS):
            status = str(answer.json["consentStatus"])  # type: ignore[index]
            can_follow = _can_follow(CONSENT_STATES, ConsentStatus(before), ConsentStatus(status))
        else:
            status = str(answer.json["transactionStatus"])  # type: ignore[index]
            can_follow = _can_follow(PAYMENT_STATES, TransactionStatus(before), TransactionStatus(status))
        assert can_follow, f"{path}: {before} → {status}"
        return status

    @invariant()
    def money_is_conserved(self) -> None:
        """Sum up each currency: what is owed and had is nothing; nobody's account is below its limit."""
        statement = select(postings.c.currency, func.sum(postings.c.amount_minor)).group_by(postings.c.currency)
        with self.bank.database.reading() as connection:
            assert {int(total) for _, total in connection.execute(statement)} == {0}
        for psu in PEOPLE:
            assert self.bank.balances(self.bank.account(psu)).interim_available.minor >= 0

    def teardown(self) -> None:
        """Look through everything."""
        with self.bank.database.reading() as connection:
            assert list(reconcile_bank(connection).findings) == []
        self.bank.database.engine.dispose()


def _can_follow(machine: StateMachine[Any], before: Any, after: Any) -> bool:
    """Whether a state can be reached from another, or is it."""
    reached, ahead = {before}, [before]
    while ahead:
        fresh = machine.moves[ahead.pop()] - reached
        reached |= fresh
        ahead.extend(fresh)
    return after in reached


def test_a_bank_lives_rightly(unit_databases: Databases) -> None:
    """Whatever happens to it, in whatever order."""

    def born() -> BankLife:
        bank = lent_bank(unit_databases)
        return BankLife(bank, bank.database.engine.url.render_as_string(hide_password=False))

    run_state_machine_as_test(
        cast("Any", born),
        settings=settings(
            max_examples=LIVES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
