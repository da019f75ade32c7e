"""Patterns for names in certificates, by the rules of OCI's `allowedSans`: any case, `*` at the start, the end, or both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_CHARACTERS = 255
_PATTERN = re.compile(r"(\*?)([^*\x00-\x1f\x7f]+)(\*?)")


class FaultyPattern(ValueError):
    """A text that is no pattern; the message says what would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePattern:
    """One pattern: `text` is compared without regard to case, open at the ends that had a `*`."""

    text: str
    opens: bool = False
    goes_on: bool = False

    @classmethod
    def parse(cls, written: str) -> NamePattern:
        """Read one; raises `FaultyPattern`."""
        match = _PATTERN.fullmatch(written)
        if match is None or len(written) > MOST_CHARACTERS:
            msg = (
                "write a name with * at its start, its end, or both, like *.example.com: "
                f"1 to {MOST_CHARACTERS} characters, and more than the * alone"
            )
            raise FaultyPattern(msg)
        return cls(text=match[2].casefold(), opens=bool(match[1]), goes_on=bool(match[3]))

    def __str__(self) -> str:
        return f"{'*' * self.opens}{self.text}{'*' * self.goes_on}"

    def matches(self, name: str) -> bool:
        """Whether `name` is meant."""
        folded = name.casefold()
        if self.opens and self.goes_on:
            return self.text in folded
        if self.opens:
            return folded.endswith(self.text)
        return folded.startswith(self.text) if self.goes_on else folded == self.text


def is_allowed(patterns: Iterable[NamePattern], names: Iterable[str]) -> bool:
    """Whether one of the names is meant by one of the patterns."""
    candidates = tuple(names)
    return any(pattern.matches(name) for pattern in patterns for name in candidates)
