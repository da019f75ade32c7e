"""Says of a field that a model does not know which ones it does, and which was probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def unknown_field(model: type[BaseModel], way: Sequence[int | str]) -> str:
    """Return the problem with the last step of `way`, which no model found along the others has for a field."""
    name = str(way[-1])
    known = sorted({field for found in _models_at(model, way[:-1]) for field in _names(found)})
    likely = get_close_matches(name, known, n=1)
    meant = f"; {likely[0]!r} was probably meant" if likely else ""
    return f"there is no such field{meant}; there are {', '.join(known)}" if known else "there is no such field"


def _models_at(model: type[BaseModel], way: Iterable[int | str]) -> list[type[BaseModel]]:
    # A union's branch is a step of pydantic's way too: a step that names no field stays where it is.
    found = [model]
    for step in way:
        deeper = [inner for each in found for inner in _within(_annotation(each, step))]
        found = deeper or found
    return found


def _annotation(model: type[BaseModel], step: int | str) -> object:
    named = (field.annotation for name, field in model.model_fields.items() if step in {name, field.alias})
    return next(named, None)


def _within(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _within(inner)


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
