"""A judge of JSON against OpenAPI 3.0 schemas: the keywords that the Berlin Group's YAML uses, and nothing lenient."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
# What a refusal carries beside the standard's members in sandbox mode (docs/divergences.md).
SANDBOX_MEMBERS = frozenset({"reason", "hint", "clause"})
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})", re.ASCII)


def _date_time(text: str) -> datetime:
    """RFC 3339 §5.6; `fromisoformat` alone also takes a date, and a time without its zone."""
    if not _DATE_TIME.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


_FORMATS: dict[str, Callable[[str], object]] = {"date": date.fromisoformat, "date-time": _date_time, "uuid": UUID}


@cache
def load_document(file: Path) -> dict[str, Any]:
    """Return a specification, read once: it takes seconds."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    return document


def load_schemas(file: Path) -> dict[str, Any]:
    """Return the component schemas of a specification."""
    schemas: dict[str, Any] = load_document(file)["components"]["schemas"]
    return schemas


def faults(value: object, schema: dict[str, Any], schemas: dict[str, Any], where: str = "$") -> list[str]:
    """Return what is wrong with `value`, each with its path; a field that the schema doesn't know is wrong too."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if "allOf" in schema:
        return [each for part in schema["allOf"] for each in faults(value, part, schemas, where)]
    expected = schema.get("type")
    if expected is not None and not _is_of_type(value, expected):
        return [f"{where}: {value!r} is no {expected}"]
    return [
        *_scalar_faults(value, schema, where),
        *_object_faults(value, schema, schemas, where),
        *_items(value, schema, schemas, where),
    ]


def _is_of_type(value: object, expected: str) -> bool:
    return isinstance(value, _TYPES[expected]) and not (isinstance(value, bool) and expected != "boolean")


def _scalar_faults(value: object, schema: dict[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, int) and value < schema.get("minimum", value):
        yield f"{where}: {value!r} is less than {schema['minimum']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str):
        if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
            yield f"{where}: {value!r} does not match {schema['pattern']}"
        yield from _length_faults(value, schema, where)
        try:
            _FORMATS.get(schema.get("format", ""), str)(value)
        except ValueError:
            yield f"{where}: {value!r} is no {schema['format']}"


def _length_faults(value: str, schema: dict[str, Any], where: str) -> Iterator[str]:
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{where}: {value!r} is longer than {schema['maxLength']}"
    if len(value) < schema.get("minLength", 0):
        yield f"{where}: {value!r} is shorter than {schema['minLength']}"


def _object_faults(value: object, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    if len(value) < schema.get("minProperties", 0):
        yield f"{where}: has fewer than {schema['minProperties']} members"
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}: {name} is missing"
    for name, part in value.items():
        known = properties.get(name, others)
        if not isinstance(known, dict):
            yield f"{where}: {name} is not in the schema"
        else:
            yield from faults(part, known, schemas, f"{where}.{name}")


def _items(value: object, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{where}: has {len(value)} items"
        for place, item in enumerate(value):
            yield from faults(item, schema["items"], schemas, f"{where}[{place}]")
