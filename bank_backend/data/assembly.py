"""Lines of test data put together to what a tenant has, and checked against one another. All or nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from bank_backend.data.books import Books
from bank_backend.data.faulty_lines import DataFaulty
from bank_backend.data.findings import Findings
from bank_backend.data.residents import Residents
from bank_backend.personas.service import Seed
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_backend.data.findings import Premises
    from bank_backend.data.lines import BalanceLine
    from bank_backend.data.reading import Numbered
    from bank_backend.ledger.model import Hold, Journal
    from psd2.ids import AccountId


def assemble(lines: Numbered, premises: Premises) -> Seed:
    """Return what the lines come to; raises `DataFaulty` that names every line that doesn't fit the others."""
    findings = Findings()
    residents = Residents(lines, premises, findings)
    books = Books(lines, premises, residents.accounts, findings)
    journal = books.journal()
    _Balances(lines, residents, findings).check(journal, books.holds)
    if findings.faults:
        raise DataFaulty(findings.faults)
    return Seed(
        planned_at=premises.now,
        password=premises.password,
        psus=tuple(residents.psus),
        accounts=tuple(residents.accounts.values()),
        holders=tuple(residents.holders),
        settlements=tuple(sorted({account.currency for account in residents.accounts.values()})),
        journal=journal,
        holds=tuple(books.holds),
    )


class _Balances:
    """Compares what accounts have with what they may have, and with what is told of them."""

    def __init__(self, lines: Numbered, residents: Residents, findings: Findings) -> None:
        self._lines, self._residents, self._findings = lines, residents, findings

    def check(self, journal: Journal, holds: Sequence[Hold]) -> None:
        if self._findings.faults:
            return
        held: dict[AccountId, int] = defaultdict(int)
        for hold in holds:
            held[hold.account_id] += min(0, hold.amount.minor)
        booked = {account: position.balance_minor for account, position in journal.positions.items()}
        self._check_limits(booked, held)
        for number, line in self._lines.balances:
            self._check_balance(number, line, booked, held)

    def _check_limits(self, booked: Mapping[AccountId, int], held: Mapping[AccountId, int]) -> None:
        numbers = {(line.pan or line.iban, line.currency): number for number, line in self._lines.accounts}
        for key, account in self._residents.accounts.items():
            available = booked.get(account.id, 0) + held.get(account.id, 0) + account.overdraft_minor
            if available < 0:
                short = Money(-available, account.currency)
                text = f"is too small: what is booked and pending goes {short} below it"
                self._findings.note("accounts", numbers[key], "creditLimit", text)

    def _check_balance(
        self, number: int, line: BalanceLine, booked: Mapping[AccountId, int], held: Mapping[AccountId, int]
    ) -> None:
        account = self._residents.accounts.get((line.account, line.currency))
        if account is None:
            text = f"is no account in {line.currency} of accounts: write an IBAN (or a card's pan) that stands there"
            self._findings.note("balances", number, "account", text)
            return
        is_booked = booked.get(account.id, 0)
        can_be_spent = is_booked + held.get(account.id, 0) + account.overdraft_minor
        told = [("booked", line.booked, is_booked)]
        if line.available is not None:
            told.append(("available", line.available, can_be_spent))
        for column, text, right in told:
            amount = self._findings.money("balances", number, column, text, line.currency)
            if amount is not None and amount.minor != right:
                comes_to = Money(right, line.currency).decimal
                self._findings.note("balances", number, column, f"is {text}, and the transactions come to {comes_to}")
