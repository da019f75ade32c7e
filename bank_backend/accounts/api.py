"""`/v1/accounts`: accounts, balances, transactions, statements (BG IG 1.3.8 §6.5, XS2A 1.3.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, request

from bank_backend.accounts import card_api, parameters, report_wire, transaction_parameters, wire
from bank_backend.accounts.model import AccountKind, ReportFormat
from bank_backend.accounts.report_store import Download
from bank_backend.heavy_work import heavy
from bank_backend.openapi.declarations import Text, operation
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
    from flask import Flask

    from bank_backend.calls import TppCall
    from bank_backend.services import Services

_STATEMENTS: Final = {
    "application/xml": Text("camt.053 of what is booked, camt.052 with what is pending"),
    "text/plain": Text("MT940 of what is booked, MT942 with what is pending"),
}
_KIND: Final = AccountKind.PAYMENT


def register(app: Flask, services: Services) -> None:
    """Add the routes, those of card accounts too."""
    routes = Blueprint("accounts", __name__, url_prefix="/v1/accounts")
    _add_accounts(routes, services)
    _add_transactions(routes, services)
    _add_download(routes, services)
    app.register_blueprint(routes)
    card_api.register(app, services)


def _add_accounts(routes: Blueprint, services: Services) -> None:
    information = services.account_data.information

    @routes.get("")
    @operation("List accounts", answers={200: Accounts}, query=(WITH_BALANCE,), headers=READ_HEADERS)
    def list_accounts() -> Response:
        call, with_balance = _called_with_balance()
        views = information.accounts(call, _KIND, consent_id=parameters.consent_id(request), with_balance=with_balance)
        kinds = _balance_types(services, call) if with_balance else ()
        return ok(call, {"accounts": [wire.account_json(view, kinds) for view in views]})

    @routes.get("/<account_id>")
    @operation("Read an account", answers={200: AccountDetails}, query=(WITH_BALANCE,), headers=READ_HEADERS)
    def read_account(account_id: str) -> Response:
        call, with_balance = _called_with_balance()
        consent = parameters.consent_id(request)
        view = information.account(call, _KIND, account_id, consent_id=consent, with_balance=with_balance)
        kinds = _balance_types(services, call) if with_balance else ()
        return ok(call, {"account": wire.account_json(view, kinds)})

    @routes.get("/<account_id>/balances")
    @operation("Read an account's balances", answers={200: AccountBalances}, headers=READ_HEADERS)
    def read_balances(account_id: str) -> Response:
        call = xs2a_call(PspRole.AI)
        parameters.require_known(request)
        view = information.balances(call, _KIND, account_id, consent_id=parameters.consent_id(request))
        balances = wire.balances_json(view.balances or (), _balance_types(services, call))
        return ok(call, {"account": wire.account_reference_json(view.account), "balances": balances})


def _add_transactions(routes: Blueprint, services: Services) -> None:
    reports = services.account_data.reports

    @routes.get("/<account_id>/transactions")
    @operation(
        "List transactions",
        answers={200: {"application/json": Transactions, **_STATEMENTS}},
        query=TRANSACTIONS_QUERY,
        headers=READ_HEADERS,
    )
    def list_transactions(account_id: str) -> Response:
        call, consent = xs2a_call(PspRole.AI), parameters.consent_id(request)
        query = transaction_parameters.transactions_query(request, _KIND)
        personality = services.personalities.of(call.tenant)
        transaction_parameters.require_offered(query, personality)
        report_format = transaction_parameters.report_format(request, personality, query)
        if report_format is ReportFormat.JSON:
            report = reports.transactions(call, _KIND, account_id, query, consent_id=consent, personality=personality)
            return ok(call, report_wire.report_json(report, personality.balance_types))
        statement = services.account_data.statements.statement(
            call, account_id, query, report_format, consent_id=consent, personality=personality
        )
        if isinstance(statement, Download):
            return ok(call, report_wire.download_json(account_id, statement.id))
        return _document(call, statement, report_format)

    @routes.get("/<account_id>/transactions/<transaction_id>")
    @operation("Read a transaction", answers={200: TransactionDetails}, headers=READ_HEADERS)
    def read_transaction(account_id: str, transaction_id: str) -> Response:
        call, consent = xs2a_call(PspRole.AI), parameters.consent_id(request)
        parameters.require_known(request)
        transaction_parameters.require_json_accepted(request)
        view, line = reports.transaction(call, account_id, transaction_id, consent_id=consent)
        return ok(call, {"transactionsDetails": report_wire.details_json(line, view)})


def _add_download(routes: Blueprint, services: Services) -> None:
    @routes.get("/<account_id>/transactions/download/<download_id>")
    @operation("Fetch a large statement", answers={200: _STATEMENTS}, headers=READ_HEADERS)
    def download(account_id: str, download_id: str) -> Response:
        call, consent = xs2a_call(PspRole.AI), parameters.consent_id(request)
        parameters.require_known(request)
        with heavy(services.heavy_work, "lists are being downloaded"):
            body, report_format = services.account_data.statements.fetch(call, account_id, download_id, consent_id=consent)
        return _document(call, body, report_format)


def _called_with_balance() -> tuple[TppCall, bool]:
    call = xs2a_call(PspRole.AI)
    parameters.require_known(request, parameters.WITH_BALANCE)
    return call, parameters.with_balance(request)


def _balance_types(services: Services, call: TppCall) -> tuple[str, ...]:
    return services.personalities.of(call.tenant).balance_types


def _document(call: TppCall, body: bytes, report_format: ReportFormat) -> Response:
    answer = Response(body, content_type=report_format.content_type)
    answer.headers["X-Request-ID"] = call.x_request_id
    return answer
