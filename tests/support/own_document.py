"""Our own OpenAPI document as a judge: an answer is to be what the bank says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from jsonschema_rs import Draft202012Validator

from bank_backend.openapi.document import build_document, routes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask, Response
    from werkzeug.routing import Rule

SERVER = "https://localhost:8443"
_DOCUMENTS: dict[tuple[str, ...], OwnDocument] = {}
# Under this name an application remembers its document: naming its routes for each answer cost more than judging it.
_KEY = "tests.own_document"


class OwnDocument:
    """The document of one application, with a validator for each answer in it."""

    def __init__(self, app: Flask) -> None:
        """Build the document."""
        self.document = build_document(app, server=SERVER)
        self._paths = {(route.method, str(route.endpoint)): route.path for route in routes(app)}
        self._validators: dict[int, Draft202012Validator] = {}

    def faults(self, method: str, rule: Rule, response: Response) -> list[str]:
        """Return how an answer departs from the document; of a route that is not in it, nothing."""
        operation = self.operation(method, rule)
        if operation is None:
            return []
        described = operation["responses"].get(str(response.status_code))
        if described is None:
            return [f"{response.status_code} is no status of it"]
        return self._body_faults(self._resolved(described), response)

    def operation(self, method: str, rule: Rule) -> dict[str, Any] | None:
        """Return what the document says about a route."""
        item: dict[str, Any] = self.document["paths"].get(self._paths.get((method, str(rule.endpoint))), {})
        return item.get(method.lower())

    def _body_faults(self, described: dict[str, Any], response: Response) -> list[str]:
        content: dict[str, Any] = described.get("content", {})
        body = response.get_data()
        if not content:
            return ["it has a body"] if body else []
        if response.mimetype not in content:
            return [f"{response.mimetype} is none of {', '.join(content)}"]
        if response.mimetype not in {"application/json", "application/problem+json"}:
            return []
        validator = self._validator(content[response.mimetype]["schema"])
        return [f"{_path(each.instance_path)}: {each.message[:200]}" for each in validator.iter_errors(orjson.loads(body))]

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        if id(schema) not in self._validators:
            whole = schema | {"components": self.document["components"]}
            self._validators[id(schema)] = Draft202012Validator(whole, validate_formats=True)
        return self._validators[id(schema)]

    def _resolved(self, described: dict[str, Any]) -> dict[str, Any]:
        name = described.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = self.document["components"]["responses"][name] if name else described
        return found


def _path(steps: Iterable[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def own_document(app: Flask) -> OwnDocument:
    """Return the application's document; applications with the same routes share one."""
    if _KEY not in app.extensions:
        key = tuple(sorted(map(repr, routes(app))))
        if key not in _DOCUMENTS:
            _DOCUMENTS[key] = OwnDocument(app)
        app.extensions[_KEY] = _DOCUMENTS[key]
    found: OwnDocument = app.extensions[_KEY]
    return found
