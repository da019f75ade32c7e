"""Serves the OpenAPI document: to TPPs beside the resources it describes, and to anybody where pages are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from flask import Blueprint, Response, current_app, request

from bank_backend.openapi.declarations import operation, undocumented
from bank_backend.openapi.document import build_document

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.services import Services

# The document lives as long as the program that it describes, so an hour-old one is wrong after an update at worst.
_MOST_AGE_SECONDS: Final = 3600


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("openapi", __name__)
    server = services.settings.edge_url
    made: list[bytes] = []

    @routes.get("/v1/openapi.json")
    @operation("This document", answers={200: dict[str, object]})
    def get_document() -> Response:
        return _document()

    @routes.get("/openapi.json")
    @undocumented("the same document, without a certificate")
    def get_document_openly() -> Response:
        return _document()

    def _document() -> Response:
        if not made:
            # At the first request, when every domain has added its routes. Two at once make the same.
            made.append(orjson.dumps(build_document(current_app, server=server)))
        answer = Response(made[0], content_type="application/json")
        answer.cache_control.public, answer.cache_control.max_age = True, _MOST_AGE_SECONDS
        # Importers and editors in a browser fetch it from their own origin; it holds nothing but what stands in our code.
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.add_etag()
        answer.make_conditional(request)
        return answer

    app.register_blueprint(routes)
