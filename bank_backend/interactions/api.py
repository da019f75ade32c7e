"""Interactions on the back channel, for the authorization server alone (docs/architecture.md §3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.answers import json_answer
from bank_backend.interactions.wire import interaction_as_json, parse_addressed_decision, parse_decision, parse_interaction

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.services import Services


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("interactions", __name__, url_prefix="/internal/interactions")
    interactions = services.interactions

    @routes.post("")
    def post_interaction() -> Response:
        begun = interactions.begin(parse_interaction(request.get_data()))
        return json_answer({"interaction": begun.id, "url": interactions.url_of(begun)}, status=201)

    @routes.get("/<interaction>")
    def get_interaction(interaction: str) -> Response:
        return json_answer(interaction_as_json(interactions.interaction(interaction)))

    @routes.post("/<interaction>/decision")
    def post_decision(interaction: str) -> Response:
        return json_answer(interaction_as_json(interactions.decide(interaction, parse_decision(request.get_data()))))

    @routes.post("/decisions")
    def post_addressed_decision() -> Response:
        tenant, address, decision = parse_addressed_decision(request.get_data())
        outcome = services.addressed_decisions.decide(tenant, address, decision)
        return json_answer({"redirect": outcome.redirect, "scaStatus": outcome.authorisation.status.value})

    app.register_blueprint(routes)
