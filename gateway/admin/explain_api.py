"""`POST /explain`: the dry run of a request for one TPP, on behalf of its developer in the portal (docs/evidence.md)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, jsonify, request

from gateway.admin.operations import operation
from gateway.admission.refusal import Refusal
from gateway.explain.desk import Question
from gateway.register.model import RegisterRefusal

if TYPE_CHECKING:
    from gateway.explain.desk import ExplainDesk


def explain_blueprint(desk: ExplainDesk) -> Blueprint:
    """Return the resource."""
    api = Blueprint("explain", __name__)

    @api.post("/explain")
    @operation("Explain what the gateway would answer to a TPP's request; nothing is sent, nothing changed", body=Question)
    def post_explain() -> Response:
        if request.mimetype != "application/json":
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as application/json")
        question = Question.model_validate_json(request.get_data(cache=False))
        try:
            answer = jsonify(desk.explained(question))
        except Refusal as refusal:
            raise RegisterRefusal("question", refusal.public_text) from refusal
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return api
