"""Personality files: TOML checked against one shape, then against itself; a fault is told with its file and line.

A profile may extend another and then holds only what differs. docs/personalities.md explains each key.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import orjson
from pydantic import ValidationError

from bank_backend.personalities.contradictions import contradictions
from bank_backend.personalities.lines import key_lines
from bank_backend.personalities.shape import ProfileShape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from bank_backend.personalities.model import Personality

STANDARD: Final = "standard"
# In the order in which they are shown.
SHIPPED: Final = (STANDARD, "strict", "lenient", "redirect-only", "decoupled", "embedded")
_NAME: Final = re.compile(r"(?=.{1,40}$)[a-z0-9]+(-[a-z0-9]+)*")
_MOST_PROFILES: Final = 50
_MOST_GENERATIONS: Final = 5
_MOST_BYTES: Final = 64 * 1024


class ProfileRefused(ValueError):
    """A profile that can't be used; the message says in which file and line, and what would be right."""


@dataclass(frozen=True, slots=True)
class _Source:
    """One file: its name in messages, what it says, and the line of each key."""

    place: str
    document: Mapping[str, object]
    lines: Mapping[tuple[str, ...], int]

    def at(self, location: tuple[str, ...]) -> str:
        """Return file and line of a key, or of the nearest table above it."""
        while location and location not in self.lines:
            location = location[:-1]
        return f"{self.place}:{self.lines.get(location, 1)}"


def load_profiles(folder: Path | None) -> dict[str, Personality]:
    """Return the shipped personalities and those of `folder`, by name; raises `ProfileRefused`."""
    sources = {name: _source(f"{name}.toml", _shipped(name)) for name in SHIPPED}
    for file in _own_files(folder):
        if not _NAME.fullmatch(file.stem):
            raise ProfileRefused(f"{file}: name it with up to 40 small letters, digits and hyphens before .toml")
        if file.stem in sources:
            raise ProfileRefused(f"{file}: a personality {file.stem} comes with the bank: give yours another name")
        sources[file.stem] = _source(str(file), _text(file))
    return {name: _personality(name, sources) for name in sources}


def _shipped(name: str) -> str:
    return (files("bank_backend.personalities") / f"{name}.toml").read_text("utf-8")


def _own_files(folder: Path | None) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    found = sorted(folder.glob("*.toml"))
    if len(found) > _MOST_PROFILES:
        raise ProfileRefused(f"{folder}: {len(found)} personalities, at most {_MOST_PROFILES} are read")
    return found


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ProfileRefused(f"{file}: larger than {_MOST_BYTES} bytes, which no personality is")
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileRefused(f"{file}: can't be read: {error}") from error


def _source(place: str, text: str) -> _Source:
    try:
        return _Source(place, tomllib.loads(text), key_lines(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileRefused(f"{place}: is no TOML: {error}") from error


def _personality(name: str, sources: Mapping[str, _Source]) -> Personality:
    line = _line_of_descent(name, sources)
    merged = _merged(source.document for source in reversed(line))
    shape = _shaped(merged, line)
    personality = shape.personality(name)
    for location, text in contradictions(personality):
        raise ProfileRefused(f"{_place(line, location)}: {'.'.join(location)} {text}")
    return personality


def _line_of_descent(name: str, sources: Mapping[str, _Source]) -> list[_Source]:
    """Return the profile's file, then that of what it extends, and so on."""
    line = [sources[name]]
    while (parent := line[-1].document.get("extends")) is not None:
        place = line[-1].at(("extends",))
        if not isinstance(parent, str) or parent not in sources:
            raise ProfileRefused(f"{place}: extends {str(parent)[:40]!r}, write one of {', '.join(sorted(sources))}")
        if sources[parent] in line or len(line) >= _MOST_GENERATIONS:
            raise ProfileRefused(f"{place}: extends {parent}, which leads back here or goes on for too long")
        line.append(sources[parent])
    return line


def _merged(documents: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Lay the younger over the older; a list is replaced whole."""
    merged: dict[str, object] = {}
    for document in documents:
        for key, value in document.items():
            known = merged.get(key)
            merged[key] = known | value if isinstance(known, dict) and isinstance(value, dict) else value
    merged.pop("extends", None)
    return merged


def _shaped(merged: Mapping[str, object], line: list[_Source]) -> ProfileShape:
    try:
        # Strict JSON takes lists for tuples and texts for names, and nothing else for anything.
        return ProfileShape.model_validate_json(orjson.dumps(merged))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
        location = tuple(str(part) for part in fault["loc"] if isinstance(part, str))
        reason = {"extra_forbidden": "is no setting here", "missing": "is missing"}.get(fault["type"], fault["msg"])
        raise ProfileRefused(f"{_place(line, location)}: {'.'.join(location)} {reason}") from None


def _place(line: list[_Source], location: tuple[str, ...]) -> str:
    """Return where a key is set: in the youngest file that has it."""
    return next((source for source in line if location in source.lines), line[0]).at(location)
