"""The movements of test data that somebody brings in: a journal that balances, and what is pending."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bank_backend.data.annexes import read_exchange, read_particulars
from bank_backend.ledger.model import Details, Entry, Hold, Journal, Party
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bank_backend.accounts.model import Account
    from bank_backend.data.findings import Findings, Key, Premises
    from bank_backend.data.lines import TransactionLine
    from bank_backend.data.reading import Numbered
    from psd2.ids import AccountId

# Earlier moments have no time in UTC that the calendar knows.
_FIRST_YEAR: Final = 1900
_BROUGHT_FORWARD: Final = "Balance brought forward"
_FORWARD_CODE: Final = "PMNT-MCOP-OTHR"
_IN_CODE, _OUT_CODE = "PMNT-RCDT-ESCT", "PMNT-ICDT-ESCT"
_ENTRIES: Final = uuid.UUID("6d3f6a0e-53cb-4a3e-9d8f-0a1c2b7c9d11")


@dataclass(slots=True)
class _Movement:
    """A movement to be booked; `lines` are all of one id."""

    id: str
    first: TransactionLine
    line: int
    amounts: list[tuple[Account, Money]] = field(default_factory=list)


class Books:
    """Reads what was booked and what is pending; mistakes go to `findings`."""

    def __init__(self, lines: Numbered, premises: Premises, accounts: Mapping[Key, Account], findings: Findings) -> None:
        """Read these."""
        self._lines, self._premises, self._accounts, self._findings = lines, premises, accounts, findings
        self._booked: dict[Key, list[str]] = defaultdict(list)
        self._movements: dict[str, _Movement] = {}
        self.holds: list[Hold] = []
        self._read()

    def _read(self) -> None:
        for number, line in self._lines.transactions:
            account = self._accounts.get((line.account, line.currency))
            amount = self._findings.money("transactions", number, "amount", line.amount, line.currency)
            if account is None:
                text = f"is no account in {line.currency} of accounts: write an IBAN (or a card's pan) that stands there"
                self._findings.note("transactions", number, "account", text)
            elif amount is not None and self._is_sound(number, line, amount):
                self._take(number, line, account, amount)

    def _take(self, number: int, line: TransactionLine, account: Account, amount: Money) -> None:
        made_up = str(uuid.uuid5(_ENTRIES, f"{self._premises.tenant} {line.account} {line.currency} {number}"))
        if line.status == "pending":
            self.holds.append(self._hold(line, account, amount, line.id or made_up))
            return
        movement = self._movements.setdefault(line.id or made_up, _Movement(line.id or made_up, line, number))
        if any(each is account for each, _ in movement.amounts):
            self._findings.note("transactions", number, "id", f"stands in this account twice: {movement.id}")
        if (movement.first.bookingDate, movement.first.valueDate) != (line.bookingDate, line.valueDate):
            text = f"differs from line {movement.line}, which is the same movement"
            self._findings.note("transactions", number, "bookingDate", text)
        movement.amounts.append((account, amount))
        self._booked[line.account, line.currency].append(movement.id)

    def _is_sound(self, number: int, line: TransactionLine, amount: Money) -> bool:
        before = len(self._findings.faults)
        today = self._premises.now.date()
        if amount.minor == 0:
            self._findings.note("transactions", number, "amount", "is zero: nothing would move")
        if line.status == "booked" and line.bookingDate is None:
            self._findings.note(
                "transactions", number, "bookingDate", "is missing: write the day of booking, such as 2026-11-18"
            )
        if line.status == "pending" and line.bookingDate is not None:
            self._findings.note(
                "transactions", number, "bookingDate", "is given, but what is pending is not booked: leave it out"
            )
        if line.bookingDate is not None and line.bookingDate > today:
            self._findings.note(
                "transactions", number, "bookingDate", f"lies after the tenant's day, which is {today.isoformat()}"
            )
        if line.at is not None and line.at.year < _FIRST_YEAR:
            self._findings.note("transactions", number, "at", f"lies before the year {_FIRST_YEAR}")
        if line.at is not None and line.at > self._premises.now:
            self._findings.note(
                "transactions", number, "at", f"lies after the tenant's time, which is {self._premises.now.isoformat()}"
            )
        for column, read in (("particulars", read_particulars), ("exchange", read_exchange)):
            try:
                read(getattr(line, column))
            except ValueError as error:
                self._findings.note("transactions", number, column, f"is not as it was exported: {str(error)[:120]}")
        return len(self._findings.faults) == before

    def _hold(self, line: TransactionLine, account: Account, amount: Money, hold_id: str) -> Hold:
        return Hold(
            id=hold_id,
            tenant=self._premises.tenant,
            account_id=account.id,
            amount=amount,
            at=line.at or self._premises.now,
            value_date=line.valueDate or self._premises.now.date(),
            details=_details(line, account, amount),
        )

    def journal(self) -> Journal:
        """Return everything that was booked; empty where there are mistakes."""
        journal = Journal(positions={})
        if self._findings.faults:
            return journal
        for entry in self._brought_forward():
            journal.post(entry)
        for movement_id in self._in_order():
            journal.post(self._entry(self._movements[movement_id]))
        return journal

    def _in_order(self) -> Iterable[str]:
        """Return the movements so that each account's come in the order of its lines."""
        graph: dict[str, set[str]] = {movement: set() for movement in self._movements}
        for booked in self._booked.values():
            for earlier, later in pairwise(booked):
                graph[later].add(earlier)
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            movement = self._movements[error.args[1][0]]
            text = "two movements between the same accounts stand in one order here and in the other there"
            self._findings.note("transactions", movement.line, "id", text)
            return ()

    def _entry(self, movement: _Movement) -> Entry:
        line = movement.first
        booked = line.bookingDate or self._premises.now.date()
        account, amount = movement.amounts[0]
        return Entry(
            id=movement.id,
            tenant=self._premises.tenant,
            at=line.at or datetime.combine(booked, time(), tzinfo=UTC),
            booking_date=booked,
            value_date=line.valueDate or booked,
            details=_details(line, account, amount),
            lines=self._balanced(movement.amounts),
            exchange=read_exchange(line.exchange),
        )

    def _balanced(self, amounts: Sequence[tuple[Account, Money]]) -> tuple[tuple[AccountId, Money], ...]:
        """Return the lines with what is left over, currency by currency, as the outside world's."""
        sums: dict[str, int] = defaultdict(int)
        for _, amount in amounts:
            sums[amount.currency] += amount.minor
        rest = [
            (self._premises.own_account(self._premises.tenant, currency), Money(-minor, currency))
            for currency, minor in sorted(sums.items())
            if minor
        ]
        return (*((account.id, amount) for account, amount in amounts), *rest)

    def _brought_forward(self) -> Iterable[Entry]:
        """Return a first entry for accounts of which a balance is told and no transaction."""
        for number, line in self._lines.balances:
            account = self._accounts.get((line.account, line.currency))
            amount = self._findings.money("balances", number, "booked", line.booked, line.currency)
            if account is None or amount is None or not amount.minor or self._booked.get((line.account, line.currency)):
                continue
            entry_id = str(uuid.uuid5(_ENTRIES, f"{self._premises.tenant} {line.account} {line.currency} forward"))
            parties = (Party("Previous statement"), Party(account.owner_name, account.iban))
            debtor, creditor = parties if amount.minor > 0 else parties[::-1]
            today = self._premises.now.date()
            yield Entry(
                id=entry_id,
                tenant=self._premises.tenant,
                at=datetime.combine(today, time(), tzinfo=UTC),
                booking_date=today,
                value_date=today,
                details=Details(debtor=debtor, creditor=creditor, remittance=_BROUGHT_FORWARD, code=_FORWARD_CODE),
                lines=self._balanced([(account, amount)]),
            )


def _details(line: TransactionLine, account: Account, amount: Money) -> Details:
    holder = Party(account.owner_name, account.iban)
    is_credit = amount.minor > 0
    debtor = Party(line.debtorName, line.debtorIban)
    creditor = Party(line.creditorName, line.creditorIban)
    nobody = Party("")
    return Details(
        debtor=holder if debtor == nobody and not is_credit else debtor,
        creditor=holder if creditor == nobody and is_credit else creditor,
        remittance=line.remittance,
        code=line.code or (_IN_CODE if is_credit else _OUT_CODE),
        end_to_end_id=line.endToEndId,
        mandate_id=line.mandateId,
        creditor_id=line.creditorId,
        particulars=read_particulars(line.particulars),
    )
