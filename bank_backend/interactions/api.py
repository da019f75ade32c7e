"""Interactions on the back channel, for the authorization server alone (docs/architecture.md §3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from bank_backend.answers import json_answer
from bank_backend.interactions.wire import interaction_as_json, parse_addressed_decision, parse_decision, parse_interaction

if TYPE_CHECKING:
    from flask import Flask, Response

    from bank_backend.interactions.model import Interaction
    from bank_backend.interactions.service import Interactions
    from bank_backend.services import Services


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("interactions", __name__, url_prefix="/internal/interactions")
    interactions = services.interactions

    def told(interaction: Interaction) -> Response:
        view = services.grants.views.granted_by(interaction)
        return json_answer(interaction_as_json(interaction, None if view is None else view.told))

    @routes.post("")
    def post_interaction() -> Response:
        return json_answer(begun_as_json(interactions, interactions.begin(parse_interaction(request.get_data()))), status=201)

    @routes.get("/<interaction>")
    def get_interaction(interaction: str) -> Response:
        return told(interactions.interaction(interaction))

    @routes.post("/<interaction>/decision")
    def post_decision(interaction: str) -> Response:
        return told(interactions.decide(interaction, parse_decision(request.get_data())))

    @routes.post("/decisions")
    def post_addressed_decision() -> Response:
        tenant, address, decision = parse_addressed_decision(request.get_data())
        outcome = services.addressed_decisions.decide(tenant, address, decision)
        return json_answer({"redirect": outcome.redirect, "scaStatus": outcome.authorisation.status.value})

    app.register_blueprint(routes)


def begun_as_json(interactions: Interactions, begun: Interaction) -> dict[str, object]:
    """Write a visit that begins, and where the browser is sent for it."""
    return {"interaction": begun.id, "url": interactions.url_of(begun)}
