"""What a handler declares about itself: `@operation(…)` beside its route is all that the OpenAPI document is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

JSON: Final = "application/json"
_ATTRIBUTE: Final = "openapi_declaration"
View = TypeVar("View", bound="Callable[..., object]")


@dataclass(frozen=True, slots=True)
class Text:
    """A body that is no JSON: XML, MT940, CSV, a multipart form."""

    description: str


# A type that pydantic knows, or a text.
Schema = Any
# What a body is, for each media type; a schema alone is JSON, None no body at all.
Content = Mapping[str, Schema] | Schema | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A query parameter or header."""

    name: str
    description: str
    schema: Mapping[str, object]
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a route takes and answers. `answers` are its successes: every refusal is described once for all."""

    summary: str
    body: Mapping[str, Schema]
    answers: Mapping[int, Mapping[str, Schema]]
    query: tuple[Parameter, ...]
    headers: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Undocumented:
    """A route that is in no document, with the reason."""

    reason: str


def operation(
    summary: str,
    *,
    body: Content = None,
    answers: Mapping[int, Content],
    query: tuple[Parameter, ...] = (),
    headers: tuple[Parameter, ...] = (),
) -> Callable[[View], View]:
    """Declare a handler: `@routes.post(…)` above, this right over the function.

    `body` and `answers` hold pydantic types (`{201: ConsentCreated}`), or types by media type; None is an empty body.
    """
    declared = Operation(
        summary=summary,
        body=_by_media_type(body),
        answers={status: _by_media_type(content) for status, content in answers.items()},
        query=query,
        headers=headers,
    )
    return _declaring(declared)


def undocumented(reason: str) -> Callable[[View], View]:
    """Keep a route out of the document, such as one that only says what is not offered."""
    return _declaring(Undocumented(reason))


def declaration(view: Callable[..., object]) -> Operation | Undocumented | None:
    """Return what a handler, or a bound method, declares about itself."""
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Operation | Undocumented) else None


def _declaring(declared: Operation | Undocumented) -> Callable[[View], View]:
    def declare(view: View) -> View:
        setattr(view, _ATTRIBUTE, declared)
        return view

    return declare


def _by_media_type(content: Content) -> Mapping[str, Schema]:
    if content is None:
        return {}
    return content if isinstance(content, Mapping) else {JSON: content}
