"""Builds the OpenAPI 3.1 document of an application from its routes and what their handlers declare (OAS 3.1.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from werkzeug.routing.converters import AnyConverter, BaseConverter

from bank_backend.openapi.declarations import JSON, Operation, Text, Undocumented, declaration
from bank_backend.openapi.parameters import X_REQUEST_ID
from bank_backend.openapi.shapes.base import Problem, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flask import Flask
    from pydantic.json_schema import JsonSchemaMode
    from pydantic_core import core_schema
    from werkzeug.routing import Rule

    from bank_backend.openapi.declarations import Parameter

_DOCUMENTED: Final = ("/v1/", "/v2/", "/sandbox/v1/")
_BERLIN_GROUP: Final = ("/v1/", "/v2/")
_REF: Final = "#/components/schemas/{model}"
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
# Every refusal of BG IG §14.11 can meet any call; one that a call provokes by its size is HTTP's own (RFC 9110 §15.5.14).
_REFUSALS: Final[Mapping[int, str]] = {
    400: "Something in the request is wrong: `path` names it.",
    401: "Certificate, token, consent or the PSU's credentials do not open this.",
    403: "The resource or consent is none of this TPP's, or not for this.",
    404: "There is no such resource or product.",
    405: "The method is not offered here.",
    406: "No media type that is accepted can be answered.",
    409: "The state of the resource does not allow this.",
    413: "The body is too large.",
    415: "The body's media type is not read here.",
    422: "Fields of the body are wrong: each is named.",
    429: "Too many accesses today, or too many calls.",
    500: "The bank failed.",
    503: "The bank can't reach its data at the moment, or is busy with such work: try again.",
}


class Route:
    """One method at one address, and what its handler declares."""

    def __init__(self, rule: Rule, method: str, declared: Operation | Undocumented | None) -> None:
        """Describe a rule of the application's URL map."""
        self.method, self.declared, self.endpoint = method, declared, rule.endpoint
        self.path = "".join(f"{{{text}}}" if is_variable else text for is_variable, text in rule._trace).partition("|")[2]  # noqa: SLF001 - the rule parsed; its text would have to be parsed anew
        self.converters: Mapping[str, BaseConverter] = rule._converters  # noqa: SLF001 - as above

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"


def routes(app: Flask) -> Iterator[Route]:
    """Return every route that TPPs can reach, declared or not."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & _METHODS):
            if rule.rule.startswith(_DOCUMENTED):
                yield Route(rule, method, declaration(app.view_functions[rule.endpoint]))


def build_document(app: Flask, *, server: str) -> dict[str, Any]:
    """Return the document of all declared routes; `server` is the address that TPPs call."""
    declared = [(route, route.declared) for route in routes(app) if isinstance(route.declared, Operation)]
    schemas = _Schemas([operation for _, operation in declared])
    paths: dict[str, dict[str, object]] = {}
    for route, operation in sorted(declared, key=lambda each: (each[0].path, each[0].method)):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "XS2A of the sandbox bank",
            "version": "1.3.11",
            "description": "Berlin Group NextGenPSD2 with test data, and what steers the sandbox.",
        },
        "servers": [{"url": server, "description": "TPPs, over mutual TLS"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": _refusals(),
            "headers": _HEADERS,
            "securitySchemes": _SECURITY,
        },
    }


_HEADERS: Final[Mapping[str, object]] = {
    "X-Request-ID": {"description": "The request's.", "schema": {"type": "string", "format": "uuid"}},
    "Location": {"description": "Where the new resource is.", "required": True, "schema": {"type": "string"}},
    "ASPSP-SCA-Approach": {
        "description": "How the PSU proves itself.",
        "schema": {"type": "string", "enum": ["REDIRECT", "DECOUPLED", "EMBEDDED"]},
    },
    "ASPSP-Notification-Support": {
        "description": "Whether changes of status are sent to TPP-Notification-URI.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    },
    "ASPSP-Notification-Content": {
        "description": "Which changes.",
        "schema": {"type": "string", "examples": ["status=SCA, PROCESS"]},
    },
}
_SECURITY: Final[Mapping[str, object]] = {
    "qwac": {"type": "mutualTLS", "description": "The TPP's QWAC."},
    "token": {"type": "http", "scheme": "bearer", "description": "An access token bound to the QWAC (RFC 8705)."},
}


def _refusals() -> dict[str, object]:
    return {
        f"{name}{status}": {
            "description": text,
            "content": {media_type: {"schema": {"$ref": _REF.format(model=shape)}}},
        }
        | ({"headers": _headers("X-Request-ID")} if name == "Refusal" else {})
        for status, text in _REFUSALS.items()
        for name, media_type, shape in (("Refusal", JSON, "Refusal"), ("Problem", "application/problem+json", "Problem"))
    }


def _headers(*names: str) -> dict[str, object]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _operation(route: Route, operation: Operation, schemas: _Schemas) -> dict[str, object]:
    berlin_group = route.path.startswith(_BERLIN_GROUP)
    headers = ((X_REQUEST_ID,) if berlin_group else ()) + operation.headers
    described: dict[str, object] = {
        "operationId": f"{route.method.lower()}_{route.endpoint.replace('.', '_')}",
        "summary": operation.summary,
        "tags": [route.endpoint.partition(".")[0]],
        "security": [{"qwac": []}, {"qwac": [], "token": []}],
        "parameters": [
            *_path_parameters(route),
            *(_parameter(each, place="query") for each in operation.query),
            *(_parameter(each, place="header") for each in headers),
        ],
        "responses": _responses(operation, schemas, berlin_group=berlin_group),
    }
    if operation.body:
        described["requestBody"] = {"required": True, "content": schemas.content(operation.body, mode="validation")}
    return described


def _responses(operation: Operation, schemas: _Schemas, *, berlin_group: bool) -> dict[str, object]:
    responses: dict[str, object] = {}
    for status, content in operation.answers.items():
        answer: dict[str, object] = {"description": operation.summary}
        if content:
            answer["content"] = schemas.content(content, mode="serialization")
        if berlin_group:
            answer["headers"] = _headers(*(_HEADERS if status == 201 else ["X-Request-ID"]))  # noqa: PLR2004 - a new resource
        responses[str(status)] = answer
    name = "Refusal" if berlin_group else "Problem"
    return responses | {str(status): {"$ref": f"#/components/responses/{name}{status}"} for status in _REFUSALS}


def _path_parameters(route: Route) -> Iterator[dict[str, object]]:
    for name, converter in route.converters.items():
        choice: dict[str, object] = {"enum": sorted(converter.items)} if isinstance(converter, AnyConverter) else {}
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1} | choice}


def _parameter(parameter: Parameter, *, place: str) -> dict[str, object]:
    return {
        "name": parameter.name,
        "in": place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": dict(parameter.schema),
    }


class _WireSchema(GenerateJsonSchema):
    """An optional member is there or not: it is never null. Names speak for themselves."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        inner = schema["schema"]
        if schema.get("default", ...) is not None:
            return super().default_schema(schema)
        # What must be there may be null, and says so by having no default.
        return self.generate_inner(inner["schema"] if inner["type"] == "nullable" else inner)


class _Schemas:
    """The schemas of all bodies, generated together so that each type is described once."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        bodies = {repr(each): each for operation in operations for each in operation.body.values()}
        answers = {
            repr(each): each for operation in operations for content in operation.answers.values() for each in content.values()
        } | {repr(each): each for each in (Refusal, Problem)}
        self.components: dict[str, object] = {}
        self._generated: dict[tuple[str, JsonSchemaMode], dict[str, Any]] = {}
        self._generate(bodies, "validation")
        self._generate(answers, "serialization")

    def content(self, content: Mapping[str, object], *, mode: JsonSchemaMode) -> dict[str, object]:
        return {
            media_type: {
                "schema": {"type": "string", "description": each.description}
                if isinstance(each, Text)
                else self._generated[repr(each), mode]
            }
            for media_type, each in content.items()
        }

    def _generate(self, types: Mapping[str, Any], mode: JsonSchemaMode) -> None:
        keys = [(name, mode, TypeAdapter(each)) for name, each in types.items() if not isinstance(each, Text)]
        schemas, definitions = TypeAdapter.json_schemas(keys, schema_generator=_WireSchema, ref_template=_REF)
        self._generated |= schemas
        self.components |= definitions.get("$defs", {})
