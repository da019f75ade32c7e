"""Builds the ledger, the statements made of it, and what books by itself."""

from __future__ import annotations

from bank_backend.ledger.clearing import Clearing
from bank_backend.ledger.exchange import RATES
from bank_backend.ledger.pending_store import SqlPendingStore
from bank_backend.ledger.service import Ledger
from bank_backend.ledger.statement_store import SqlStatementStore
from bank_backend.ledger.statements import Statements
from bank_backend.ledger.store import SqlLedgerStore


def create_ledger() -> tuple[Ledger, Statements]:
    """Return what moves money, at the bank's own rates, and what tells of it."""
    return Ledger(SqlLedgerStore(), rates=RATES), Statements(SqlStatementStore())


def create_clearing(ledger: Ledger) -> Clearing:
    """Return who books what was pending."""
    return Clearing(SqlPendingStore(), ledger)
