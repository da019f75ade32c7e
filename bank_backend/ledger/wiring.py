"""Builds the ledger and the statements made of it."""

from __future__ import annotations

from bank_backend.ledger.exchange import RATES
from bank_backend.ledger.service import Ledger
from bank_backend.ledger.statement_store import SqlStatementStore
from bank_backend.ledger.statements import Statements
from bank_backend.ledger.store import SqlLedgerStore


def create_ledger() -> tuple[Ledger, Statements]:
    """Return what moves money, at the bank's own rates, and what tells of it."""
    return Ledger(SqlLedgerStore(), rates=RATES), Statements(SqlStatementStore())
