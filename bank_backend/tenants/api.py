"""Tenants: registration and a look at the books by the portal, and what a TPP may know of its own (`/sandbox/v1/data`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.accounts import parameters
from bank_backend.accounts.transaction_parameters import NO_PAGE, parsed_place
from bank_backend.answers import json_answer
from bank_backend.bodies import read_internal_body
from bank_backend.calls import calling_tenant
from bank_backend.errors import FieldsInvalid, FormatError
from bank_backend.openapi.declarations import operation
from bank_backend.openapi.shapes.sandbox import Data
from bank_backend.tenants.wire import RegistrationBody, accounts_json, book_json, data_json
from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber
from psd2.ids import TenantId

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.ledger.statements import Place
    from bank_backend.services import Services
    from bank_backend.tenants.books import TenantBooks
    from bank_backend.tenants.service import TenantRegistry


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("tenants", __name__)
    _add_tenants(routes, services.tenants)
    _add_books(routes, services.books)
    app.register_blueprint(routes)


def _add_tenants(routes: Blueprint, tenants: TenantRegistry) -> None:
    # `path:` because an NCA may put slashes into its identifiers.
    @routes.put("/internal/tenants/<path:number>")
    def put_tenant(number: str) -> Response:
        registration = read_internal_body(request.get_data(), RegistrationBody).parsed(_tenant(number))
        tenant, is_new = tenants.register(registration)
        return json_answer(data_json(tenant, tenants.residents(tenant.id)), status=201 if is_new else 200)

    @routes.get("/internal/tenants/<path:number>")
    def get_tenant(number: str) -> Response:
        tenant = tenants.tenant(TenantId(number))
        return json_answer(data_json(tenant, tenants.residents(tenant.id)))

    @routes.get("/sandbox/v1/data")
    @operation("Read who banks here, with what to log in", answers={200: Data})
    def get_data() -> Response:
        tenant = tenants.tenant(calling_tenant(request))
        return json_answer(data_json(tenant, tenants.residents(tenant.id)))


def _add_books(routes: Blueprint, books: TenantBooks) -> None:
    @routes.get("/internal/tenants/<path:number>/accounts")
    def list_accounts(number: str) -> Response:
        tenant = TenantId(number)
        return json_answer(accounts_json(tenant, books.accounts(tenant)))

    @routes.get("/internal/tenants/<path:number>/accounts/<account_id>/transactions")
    def read_book(number: str, account_id: str) -> Response:
        return json_answer(book_json(books.book(TenantId(number), account_id, older_than=_page())))


def _page() -> Place | None:
    text = parameters.single(request, "page")
    place = None if text is None else parsed_place(text)
    if text is not None and place is None:
        raise FormatError(NO_PAGE, path="page")
    return place


def _tenant(number: str) -> TenantId:
    try:
        return TenantId(str(AuthorisationNumber.parse(number)))
    except InvalidAuthorisationNumber as error:
        raise FieldsInvalid({"tenant": str(error)}) from None
