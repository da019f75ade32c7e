"""Asking PSUs on the back channel, for the authorization server alone (docs/architecture.md §3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.answers import json_answer
from bank_backend.backchannel.wire import asked_as_json, parse_ask
from bank_backend.errors import FieldsInvalid
from psd2.ids import TenantId

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.services import Services


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("backchannel", __name__, url_prefix="/internal/backchannel")
    backchannel = services.backchannel

    @routes.post("")
    def post_ask() -> Response:
        return json_answer(asked_as_json(backchannel.ask(parse_ask(request.get_data()))), status=201)

    @routes.get("/<authorisation>")
    def get_asked(authorisation: str) -> Response:
        tenant = request.args.get("tenant")
        if tenant is None:
            raise FieldsInvalid({"tenant": "is missing from the query"})
        return json_answer(asked_as_json(backchannel.asked(TenantId(tenant), authorisation)))

    app.register_blueprint(routes)
