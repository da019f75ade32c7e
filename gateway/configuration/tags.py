"""Entity tags of what is kept as rows, not as versions of documents: TPPs, clients, blocks (RFC 9110 §8.8.3)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import orjson

from gateway.configuration.changes import PreconditionFailed

if TYPE_CHECKING:
    from gateway.configuration.changes import Precondition

_DIGITS: Final = 32


def entity_tag(subject: object) -> str:
    """Return the strong tag of a dataclass, or of what JSON can hold: alike for what is alike, in every process."""
    text = orjson.dumps(subject, option=orjson.OPT_SORT_KEYS, default=_plain)
    return f'"{hashlib.sha256(text).hexdigest()[:_DIGITS]}"'


def require_standing(expected: Precondition, place: str, standing: object | None) -> None:
    """Raise `PreconditionFailed` where what stands (None: nothing) is not what the change expects."""
    tag = entity_tag(standing) if standing is not None else None
    if not expected.holds_for(tag):
        raise PreconditionFailed(place, tag)


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)
