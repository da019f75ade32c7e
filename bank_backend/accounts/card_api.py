"""`/v1/card-accounts`: card accounts, their balances and card transactions (BG IG 1.3.8 §6.6, XS2A 1.3.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from bank_backend.accounts import card_wire, parameters, transaction_parameters, wire
from bank_backend.accounts.model import AccountKind
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.parameters import CARD_TRANSACTIONS_QUERY, READ_HEADERS
from bank_backend.openapi.shapes.accounts import CardAccountBalances, CardAccountDetails, CardAccounts, CardTransactions
from bank_backend.xs2a import ok, xs2a_call
from psd2.roles import PspRole

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.calls import TppCall
    from bank_backend.services import Services

_KIND: Final = AccountKind.CARD


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("card_accounts", __name__, url_prefix="/v1/card-accounts")
    _add_accounts(routes, services)
    _add_transactions(routes, services)
    app.register_blueprint(routes)


def _add_accounts(routes: Blueprint, services: Services) -> None:
    information = services.account_data.information

    # Balances are part of a card account's details wherever they are granted (BG IG §6.6.1).
    @routes.get("")
    @operation("List card accounts", answers={200: CardAccounts}, headers=READ_HEADERS)
    def list_accounts() -> Response:
        call, consent = _called()
        views = information.accounts(call, _KIND, consent_id=consent, with_balance=True)
        kinds = services.personalities.of(call.tenant).balance_types
        return ok(call, {"cardAccounts": [wire.card_account_json(view, kinds) for view in views]})

    @routes.get("/<account_id>")
    @operation("Read a card account", answers={200: CardAccountDetails}, headers=READ_HEADERS)
    def read_account(account_id: str) -> Response:
        call, consent = _called()
        view = information.account(call, _KIND, account_id, consent_id=consent, with_balance=True)
        kinds = services.personalities.of(call.tenant).balance_types
        return ok(call, {"cardAccount": wire.card_account_json(view, kinds)})

    @routes.get("/<account_id>/balances")
    @operation("Read a card account's balances", answers={200: CardAccountBalances}, headers=READ_HEADERS)
    def read_balances(account_id: str) -> Response:
        call, consent = _called()
        view = information.balances(call, _KIND, account_id, consent_id=consent)
        balances = wire.balances_json(view.balances or (), services.personalities.of(call.tenant).balance_types)
        reference = wire.account_reference_json(view.account)
        return ok(call, {"cardAccount": reference, "debitAccounting": False, "balances": balances})


def _add_transactions(routes: Blueprint, services: Services) -> None:
    @routes.get("/<account_id>/transactions")
    @operation("List card transactions", answers={200: CardTransactions}, query=CARD_TRANSACTIONS_QUERY, headers=READ_HEADERS)
    def list_transactions(account_id: str) -> Response:
        call, consent = xs2a_call(PspRole.AI), parameters.consent_id(request)
        transaction_parameters.require_json_accepted(request)
        query = transaction_parameters.transactions_query(request, _KIND)
        personality = services.personalities.of(call.tenant)
        report = services.account_data.reports.transactions(
            call, _KIND, account_id, query, consent_id=consent, personality=personality
        )
        return ok(call, card_wire.card_report_json(report, personality.balance_types))


def _called() -> tuple[TppCall, str]:
    call, consent = xs2a_call(PspRole.AI), parameters.consent_id(request)
    parameters.require_known(request)
    return call, consent
