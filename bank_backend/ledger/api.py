"""`POST /sandbox/v1/incoming-payments`: somebody pays one of the tenant's customers, from another bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from bank_backend.answers import json_answer
from bank_backend.bodies import AmountBody, Body, Iban, Max35Text, Max70Text, Max140Text, read_internal_body
from bank_backend.errors import FieldsInvalid
from bank_backend.ledger.orders import NO_END_TO_END_ID, IncomingTransfer
from bank_backend.ledger.refusals import InvalidAmount, LedgerError, NoRate
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.shapes.sandbox import IncomingPayment
from bank_backend.tenants.addresses import TenantRoutes

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.ledger.orders import Booked
    from bank_backend.services import Services
    from psd2.ids import TenantId


class IncomingBody(Body):
    """Who pays whom how much; in another currency than the account's it is exchanged at the day's rate."""

    creditorIban: Iban  # noqa: N815 - wire name
    instructedAmount: AmountBody  # noqa: N815 - wire name
    debtorName: Max70Text  # noqa: N815 - wire name
    debtorIban: Iban | None = None  # noqa: N815 - wire name
    remittanceInformation: Max140Text | None = None  # noqa: N815 - wire name
    endToEndIdentification: Max35Text | None = None  # noqa: N815 - wire name


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("incoming", __name__)
    TenantRoutes(routes, services.tenants).add("/incoming-payments", _Views(services).receive_payment, "POST")
    app.register_blueprint(routes)


class _Views:
    def __init__(self, services: Services) -> None:
        self._services = services

    @operation("Have somebody with another bank pay a customer", body=IncomingBody, answers={201: IncomingPayment})
    def receive_payment(self, tenant: TenantId) -> Response:
        body = read_internal_body(request.get_data(), IncomingBody)
        try:
            with self._services.database.writing() as connection:
                self._services.test_data.bank.require_room(connection, tenant, transactions=1)
                now = self._services.clock.now(tenant, connection)
                booked = self._services.ledger.receive(connection, _incoming(tenant, body), now)
        except (InvalidAmount, NoRate) as error:
            raise FieldsInvalid({"instructedAmount": str(error)}) from error
        except LedgerError as error:
            raise FieldsInvalid({"creditorIban": str(error)}) from error
        return json_answer(_booked_json(booked), status=201)


def _incoming(tenant: TenantId, body: IncomingBody) -> IncomingTransfer:
    return IncomingTransfer(
        tenant=tenant,
        creditor_iban=body.creditorIban,
        amount=body.instructedAmount.parsed,
        debtor_name=body.debtorName,
        debtor_iban=body.debtorIban or "",
        remittance=body.remittanceInformation or "",
        end_to_end_id=body.endToEndIdentification or NO_END_TO_END_ID,
    )


def _booked_json(booked: Booked) -> dict[str, object]:
    credited = booked.charges.credited
    return {
        "transactionId": booked.entry,
        "bookingDate": booked.booking_date,
        "valueDate": booked.value_date,
        "creditedAmount": {"currency": credited.currency, "amount": credited.decimal},
    }
