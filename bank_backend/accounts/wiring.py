"""Builds what reads accounts for TPPs, and what pays card invoices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.accounts.card_books import SqlCardBooks
from bank_backend.accounts.cards import CardSettlements
from bank_backend.accounts.downloads import AccountStatements
from bank_backend.accounts.information import AccountInformation
from bank_backend.accounts.report_store import SqlDownloadStore, SqlReportMarks
from bank_backend.accounts.reports import AccountReports

if TYPE_CHECKING:
    from bank_backend.accounts.cards import Reminders
    from bank_backend.accounts.service import AccountAccess, AccountDirectory
    from bank_backend.accounts.standing_orders import StandingOrders
    from bank_backend.database import Database
    from bank_backend.ledger.service import Ledger
    from bank_backend.ledger.statements import Statements


@dataclass(frozen=True, slots=True)
class AccountServices:
    """What is told of accounts: accounts and balances, transactions in JSON, statements in other formats."""

    information: AccountInformation
    reports: AccountReports
    statements: AccountStatements


def create_account_services(
    database: Database,
    *,
    access: AccountAccess,
    accounts: AccountDirectory,
    ledger: Ledger,
    statements: Statements,
    standing_orders: StandingOrders,
) -> AccountServices:
    """Return the account resources' services, each behind `access`."""
    books, marks = SqlCardBooks(), SqlReportMarks()
    information = AccountInformation(access=access, accounts=accounts, ledger=ledger, card_books=books, database=database)
    reports = AccountReports(
        information=information,
        statements=statements,
        marks=marks,
        standing_orders=standing_orders,
        database=database,
    )
    documents = AccountStatements(
        information=information, reports=reports, marks=marks, store=SqlDownloadStore(), database=database
    )
    return AccountServices(information, reports, documents)


def create_card_settlements(accounts: AccountDirectory, ledger: Ledger, schedule: Reminders) -> CardSettlements:
    """Return who pays card invoices."""
    return CardSettlements(accounts=accounts, books=SqlCardBooks(), ledger=ledger, schedule=schedule)
