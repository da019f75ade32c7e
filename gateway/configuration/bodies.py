"""Reads a document's body into a pydantic model; all faults are told at once, each with the path of its field."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.configuration.model import DocumentRefused, Fault
from gateway.configuration.unknown_fields import unknown_field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from gateway.configuration.model import Document

_Body = TypeVar("_Body", bound="DocumentBody")


class DocumentBody(BaseModel):
    """What bodies of a kind may say: no field that it does not name, no value of another JSON type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def read_body(type_: type[_Body], document: Document) -> _Body:
    """Return the body as `type_`; raises `DocumentRefused`."""
    try:
        # As JSON: strict there still takes texts for enumerations and lists for sets.
        return type_.model_validate_json(orjson.dumps(document.body))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise DocumentRefused(Fault(field_path(fault["loc"]), _problem(type_, fault)) for fault in faults) from error


def field_path(steps: Iterable[int | str]) -> str:
    """Write the way to a field as people write it: `routes[3].allowed_sans[0]`."""
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return written.removeprefix(".") or "document"


def _problem(type_: type[DocumentBody], fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return unknown_field(type_, fault["loc"])
    return fault["msg"].removeprefix("Value error, ")
