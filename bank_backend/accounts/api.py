"""Account information resources: accounts, balances, transactions (BG IG 1.3.8 §6.5, XS2A 1.3.11 /v1/accounts)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.accounts import parameters, report_tables, wire  # noqa: F401 - tables that migrations make
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.parameters import READ_HEADERS, TRANSACTIONS_QUERY, WITH_BALANCE
from bank_backend.openapi.shapes.accounts import (
    AccountBalances,
    AccountDetails,
    Accounts,
    TransactionDetails,
    Transactions,
)
from bank_backend.xs2a import ok, xs2a_call
from psd2.roles import PspRole

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.accounts.information import AccountInformation
    from bank_backend.services import Services


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("accounts", __name__, url_prefix="/v1/accounts")
    _add_accounts(routes, services.information)
    _add_transactions(routes, services.information)
    app.register_blueprint(routes)


def _add_accounts(routes: Blueprint, information: AccountInformation) -> None:
    @routes.get("")
    @operation("List accounts", answers={200: Accounts}, query=(WITH_BALANCE,), headers=READ_HEADERS)
    def list_accounts() -> Response:
        call, with_balance = xs2a_call(PspRole.AI), parameters.with_balance(request)
        views = information.accounts(call, consent_id=parameters.consent_id(request), with_balance=with_balance)
        body = {"accounts": [wire.account_json(view.account, view.rights, view.balances) for view in views]}
        return ok(call, body)

    @routes.get("/<account_id>")
    @operation("Read an account", answers={200: AccountDetails}, query=(WITH_BALANCE,), headers=READ_HEADERS)
    def read_account(account_id: str) -> Response:
        call, with_balance = xs2a_call(PspRole.AI), parameters.with_balance(request)
        consent = parameters.consent_id(request)
        view = information.account(call, account_id, consent_id=consent, with_balance=with_balance)
        body = {"account": wire.account_json(view.account, view.rights, view.balances)}
        return ok(call, body)

    @routes.get("/<account_id>/balances")
    @operation("Read an account's balances", answers={200: AccountBalances}, headers=READ_HEADERS)
    def read_balances(account_id: str) -> Response:
        call, consent = xs2a_call(PspRole.AI), parameters.consent_id(request)
        account, balances = information.balances(call, account_id, consent_id=consent)
        body = {"account": wire.account_reference_json(account), "balances": wire.balances_json(balances)}
        return ok(call, body)


def _add_transactions(routes: Blueprint, information: AccountInformation) -> None:
    @routes.get("/<account_id>/transactions")
    @operation("List transactions", answers={200: Transactions}, query=TRANSACTIONS_QUERY, headers=READ_HEADERS)
    def list_transactions(account_id: str) -> Response:
        call, consent = xs2a_call(PspRole.AI), parameters.consent_id(request)
        parameters.require_json_accepted(request)
        query = parameters.transactions_query(request, today=information.today(call.tenant))
        report = information.transactions(call, account_id, query, consent_id=consent)
        return ok(call, wire.report_json(report, query))

    @routes.get("/<account_id>/transactions/<transaction_id>")
    @operation("Read a transaction", answers={200: TransactionDetails}, headers=READ_HEADERS)
    def read_transaction(account_id: str, transaction_id: str) -> Response:
        call, consent = xs2a_call(PspRole.AI), parameters.consent_id(request)
        view, line = information.transaction(call, account_id, transaction_id, consent_id=consent)
        body = {"transactionsDetails": wire.transaction_details_json(line, view.account, view.rights)}
        return ok(call, body)
