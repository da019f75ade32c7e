"""On which line of a TOML text each key stands: `tomllib` keeps no places, and a fault without one is hard to find."""

from __future__ import annotations

import re
from typing import Final

_TABLE: Final = re.compile(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Return the line (from 1) of each bare key and table, by its path; quoted keys are not found."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = tuple(header[1].split("."))
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *key[1].split(".")), number)
    return lines
