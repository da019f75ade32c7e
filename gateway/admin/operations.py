"""What a resource's handler says of itself, for the API's own description (`/openapi.json`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

_Handler = TypeVar("_Handler", bound=Callable[..., Any])
_ATTRIBUTE: Final = "operation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A handler: what it does, what it takes, what it answers. `document`: its body is a document of the path's kind."""

    summary: str
    body: type[BaseModel] | None = None
    document: bool = False
    octets: str | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    conditional: bool = False
    statuses: tuple[HTTPStatus, ...] = field(default=(HTTPStatus.OK,))


def operation(summary: str, **facts: Any) -> Callable[[_Handler], _Handler]:  # noqa: ANN401 - the fields of Operation
    """Say what a handler does; `facts` are the other fields of `Operation`."""
    said = Operation(summary=summary, **facts)

    def noted(handler: _Handler) -> _Handler:
        setattr(handler, _ATTRIBUTE, said)
        return handler

    return noted


def operation_of(handler: Callable[..., Any]) -> Operation:
    """Return what a handler says of itself; raises `LookupError` for one that says nothing."""
    said = getattr(handler, _ATTRIBUTE, None)
    if not isinstance(said, Operation):
        msg = f"{handler.__qualname__} says nothing of itself: write @operation(…) beneath its route"
        raise LookupError(msg)  # noqa: TRY004 - something is missing, not of a wrong type
    return said


def query_of(handler: Callable[..., Any]) -> type[BaseModel] | None:
    """Return what a handler reads from the query, None where it says nothing of that."""
    said = getattr(handler, _ATTRIBUTE, None)
    return said.query if isinstance(said, Operation) else None
