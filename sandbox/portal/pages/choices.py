"""Choices of a form: what is sent, and what people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its published types

if TYPE_CHECKING:
    from collections.abc import Mapping

_Value = TypeVar("_Value", bound=str)


def choices_of(texts: Mapping[_Value, str]) -> list[Any]:
    """Return the choices in their order; an enum's members are sent as their values."""
    return [SelectChoice(value=str(value), label=text) for value, text in texts.items()]
