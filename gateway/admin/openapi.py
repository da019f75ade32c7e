"""The control API's description (OpenAPI 3.1), made from its routes, their handlers, and the kinds of document."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, current_app, jsonify
from pydantic.json_schema import GenerateJsonSchema

from gateway.admin.operations import operation, operation_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask import Flask
    from pydantic import BaseModel

    from gateway.admin.operations import Operation
    from gateway.configuration.model import Kind, Kinds

_VERSION: Final = "1"
_REFERENCE: Final = "#/components/schemas/{model}"
_PLACE: Final = re.compile(r"<(?:[a-z]+:)?([a-z0-9_]+)>")
_UNTOLD_METHODS: Final = frozenset({"HEAD", "OPTIONS"})
_PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457; `code` is the name that a program may branch on",
    "required": ["type", "status", "code", "title", "detail"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "problem"],
                "properties": {name: {"type": "string"} for name in ("document", "field", "problem")},
            },
        },
    },
}
_CONDITIONS: Final = (
    ("If-Match", "the ETag of the version that is to be replaced or deleted"),
    ("If-None-Match", "`*`: nothing by that name may stand yet"),
)


def openapi_blueprint(kinds: Kinds) -> Blueprint:
    """Return the resource."""
    api = Blueprint("openapi", __name__)

    @api.get("/openapi.json")
    @operation("This description")
    def get_openapi() -> Response:
        return jsonify(openapi_document(current_app, kinds))

    return api


def openapi_document(app: Flask, kinds: Kinds) -> dict[str, Any]:
    """Return the description; raises `LookupError` where a handler says nothing of itself."""
    return _Description(kinds).of(app)


class _Description:
    """A description in the making: schemas gather as operations name them."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = list(kinds)
        self._schemas: dict[str, Any] = {"Problem": _PROBLEM}

    def of(self, app: Flask) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {}
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
            said = operation_of(app.view_functions[rule.endpoint])
            for path, kind in self._paths(_PLACE.sub(r"{\1}", rule.rule)):
                for method in sorted((rule.methods or set()) - _UNTOLD_METHODS):
                    paths.setdefault(path, {})[method.lower()] = self._operation(path, method, said, kind)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "The gateway's control API",
                "version": _VERSION,
                "description": "Mutual TLS with a certificate of the platform's internal CA: `portal` or `operator`.",
            },
            "paths": paths,
            "components": {"schemas": self._schemas, "securitySchemes": {"internal": {"type": "mutualTLS"}}},
            "security": [{"internal": []}],
        }

    def _paths(self, path: str) -> Iterator[tuple[str, Kind[Any] | None]]:
        """Give a path, or one for each kind where it holds a document of a kind."""
        if "{kind}" not in path:
            yield path, None
        for kind in self._kinds if "{kind}" in path else ():
            yield path.replace("{kind}", kind.name), kind

    def _operation(self, path: str, method: str, said: Operation, kind: Kind[Any] | None) -> dict[str, Any]:
        names = "_".join(re.findall(r"[A-Za-z0-9]+", path))
        described: dict[str, Any] = {
            "operationId": f"{method.lower()}_{names}",
            "summary": said.summary,
            "tags": [path.split("/")[1]],
            "parameters": list(self._parameters(path, said)),
            "responses": self._responses(said),
        }
        content = self._content(said, kind)
        return described | ({"requestBody": {"required": True, "content": content}} if content else {})

    def _parameters(self, path: str, said: Operation) -> Iterator[dict[str, Any]]:
        for name in re.findall(r"\{([a-z0-9_]+)\}", path):
            yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        if said.query is not None:
            schema = self._inlined(said.query)
            for name, field in schema.get("properties", {}).items():
                yield {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": field}
        for name, description in _CONDITIONS if said.conditional else ():
            yield {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}

    def _content(self, said: Operation, kind: Kind[Any] | None) -> dict[str, Any]:
        if said.octets is not None:
            return {said.octets: {}}
        if said.document and kind is not None:
            return {"application/json": {"schema": self._of_kind(kind)}}
        return {"application/json": {"schema": self._referred(said.body)}} if said.body else {}

    def _responses(self, said: Operation) -> dict[str, Any]:
        problem = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}
        responses: dict[str, Any] = {str(int(status)): self._response(said, status) for status in said.statuses}
        return responses | {"default": {"description": "A problem: nothing was changed", "content": problem}}

    def _response(self, said: Operation, status: HTTPStatus) -> dict[str, Any]:
        response: dict[str, Any] = {"description": status.phrase}
        if status is not HTTPStatus.NO_CONTENT:
            schema = self._referred(said.answer) if said.answer else {"type": "object"}
            response["content"] = {"application/json": {"schema": schema}}
        if said.conditional:
            response["headers"] = {"ETag": {"description": "of the version that stands", "schema": {"type": "string"}}}
        return response

    def _referred(self, model: type[BaseModel]) -> dict[str, str]:
        schema = model.model_json_schema(ref_template=_REFERENCE, schema_generator=_Lenient)
        return self._kept(model.__name__, schema, prefix="")

    def _of_kind(self, kind: Kind[Any]) -> dict[str, str]:
        """Keep a kind's schema, those that it defines under its own name."""
        prefix = f"{kind.name}."
        return self._kept(kind.name, _moved(dict(kind.schema()), prefix), prefix=prefix)

    def _kept(self, name: str, schema: dict[str, Any], *, prefix: str) -> dict[str, str]:
        for defined, inner in schema.pop("$defs", {}).items():
            self._schemas[f"{prefix}{defined}"] = inner
        self._schemas[name] = schema
        return {"$ref": _REFERENCE.format(model=name)}

    def _inlined(self, model: type[BaseModel]) -> Mapping[str, Any]:
        schema = model.model_json_schema(ref_template=_REFERENCE, schema_generator=_Lenient)
        self._schemas |= schema.pop("$defs", {})
        return schema


class _Lenient(GenerateJsonSchema):
    """Tells a value that is read by our own code as the text that it is on the wire."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:  # noqa: ANN401, ARG002 - pydantic's
        return {"type": "string"}


def _moved(value: Any, prefix: str) -> Any:  # noqa: ANN401 - any part of a schema
    """Let references to definitions lead to where those are kept."""
    if isinstance(value, dict):
        return {key: _target(inner, prefix) if key == "$ref" else _moved(inner, prefix) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, prefix) for inner in value]
    return value


def _target(reference: Any, prefix: str) -> Any:  # noqa: ANN401 - whatever stands there
    return re.sub(r"^#/\$defs/", _REFERENCE.format(model=prefix), str(reference))
