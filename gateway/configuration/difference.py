"""What two versions of a document say differently, field by field; secrets only as having changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.configuration.bodies import field_path
from gateway.configuration.secrets import HIDDEN, is_secret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from gateway.configuration.model import Body

    Path = tuple[int | str, ...]
    Difference = list[dict[str, Any]]

_ABSENT: Final = object()


def difference(before: Body | None, after: Body | None, secrets: Collection[str] = ()) -> Difference:
    """Return the fields that differ: `{"field", "before", "after"}`, where a side that lacks the field is left out."""
    return [_entry(path, old, new, secrets) for path, old, new in _walk(before or {}, after or {}, ())]


def _walk(old: object, new: object, path: Path) -> Iterator[tuple[Path, object, object]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _walk(old.get(key, _ABSENT), new.get(key, _ABSENT), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            yield from _walk(_item(old, place), _item(new, place), (*path, place))
    elif old is _ABSENT or new is _ABSENT or type(old) is not type(new) or old != new:
        yield path, old, new


def _item(items: list[object], place: int) -> object:
    return items[place] if place < len(items) else _ABSENT


def _entry(path: Path, old: object, new: object, secrets: Collection[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"field": field_path(path)}
    for side, value in (("before", old), ("after", new)):
        if value is not _ABSENT:
            entry[side] = _shown(value, path, secrets)
    return entry


def _shown(value: object, path: Path, secrets: Collection[str]) -> object:
    if is_secret(path, secrets):
        return HIDDEN
    if isinstance(value, dict):
        return {key: _shown(inner, (*path, key), secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shown(inner, (*path, place), secrets) for place, inner in enumerate(value)]
    return value
