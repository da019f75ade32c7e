"""Text in a CSV cell: a spreadsheet must not take it for a formula (OWASP, CSV injection), and reading gives it back."""

from __future__ import annotations

import re
from typing import Final

_QUOTE: Final = "'"
# What a spreadsheet calculates; the quote is among them so that reading takes off exactly what writing put on.
_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", _QUOTE)
_AMOUNT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def as_cell(text: str) -> str:
    """Return how `text` stands in a cell: as it is, or after a quote that keeps it from being calculated."""
    if text.startswith(_BEGINS_A_FORMULA) and not _AMOUNT.fullmatch(text):
        return _QUOTE + text
    return text


def from_cell(cell: str) -> str:
    """Return what a cell says; a quote before anything but a formula is the text's own."""
    text = cell.removeprefix(_QUOTE)
    return text if text.startswith(_BEGINS_A_FORMULA) else cell
