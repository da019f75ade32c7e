"""Secrets in documents: shown as a note of where the value stands, which an edited document may bring back.

`get`, edit, `apply` therefore works without anybody seeing the secret: the note is exchanged for the value it stands for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gateway.configuration.bodies import field_path
from gateway.configuration.model import DocumentRefused, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from gateway.configuration.model import Body

    Path = tuple[int | str, ...]

HIDDEN: Final = "(secret)"
_NOTE: Final = re.compile(r"\(secret of version ([0-9]{1,9}): (.+)\)")
_STEP: Final = re.compile(r"\[[0-9]+\]")


def is_secret(path: Path, secrets: Collection[str]) -> bool:
    """Tell whether the field at `path`, or one that it lies in, is among `secrets` (`tokens[].value`)."""
    return any(_STEP.sub("[]", field_path(path[:length])) in secrets for length in range(1, len(path) + 1))


def redacted(body: Body, secrets: Collection[str], *, version: int) -> dict[str, Any]:
    """Return the body with notes in the place of secrets."""
    return _replaced(body, secrets, lambda path, _value: f"(secret of version {version}: {field_path(path)})")


def restored(body: Body, secrets: Collection[str], version_of: Callable[[int], Body | None]) -> dict[str, Any]:
    """Return the body with secrets in the place of their notes; raises `DocumentRefused` where a note leads nowhere."""
    faults: list[Fault] = []
    values: dict[int, Mapping[str, Any]] = {}

    def value_of(path: Path, value: object) -> object:
        note = _NOTE.fullmatch(value) if isinstance(value, str) else None
        if note is None:
            return value
        number = int(note[1])
        if number not in values:
            values[number] = {field_path(place): secret for place, secret in _secrets_of(version_of(number) or {}, secrets)}
        if note[2] not in values[number]:
            faults.append(Fault(field_path(path), f"stands for the secret {note[2]} of version {number}, which is not there"))
            return value
        return values[number][note[2]]

    complete = _replaced(body, secrets, value_of)
    if faults:
        raise DocumentRefused(faults)
    return complete


def _secrets_of(body: Body, secrets: Collection[str]) -> Iterator[tuple[Path, object]]:
    found: list[tuple[Path, object]] = []
    _replaced(body, secrets, lambda path, value: found.append((path, value)))
    yield from found


def _replaced(body: Body, secrets: Collection[str], value_of: Callable[[Path, object], object]) -> dict[str, Any]:
    def walk(value: object, path: Path) -> object:
        if value is not None and path and _STEP.sub("[]", field_path(path)) in secrets:
            return value_of(path, value)
        if isinstance(value, dict):
            return {key: walk(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner, (*path, place)) for place, inner in enumerate(value)]
        return value

    return {key: walk(value, (key,)) for key, value in body.items()} if secrets else dict(body)
