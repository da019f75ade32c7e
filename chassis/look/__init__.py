"""The look that all our browser pages share: palette, stylesheets, mark, htmx. Each application serves `FOLDER` at /look."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
SERVED_UNDER: Final = "/look"
FILES: Final = frozenset({"palette.css", "look.css", "charts.css", "mark.svg", "htmx.min.js"})
# An address names the content, so that it may be kept for ever and a new release is seen at once.
CACHE_CONTROL: Final = "public, max-age=31536000, immutable"
# What htmx would do against the content policy: a style of its own, a history that keeps pages (theirs are private).
HTMX_CONFIG: Final = '{"includeIndicatorCSS":false,"history":false,"extensions":"none"}'


@lru_cache
def version(name: str) -> str:
    """Return what tells one content of a file from the next."""
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:16]


def address(name: str) -> str:
    """Return the path of one of `FILES`, for templates."""
    return f"{SERVED_UNDER}/{name}?v={version(name)}"


def cache_control(name: str, asked_version: str | None) -> str:
    """Return how long an answer may be kept: for ever where the address names this very content, else checked each time."""
    return CACHE_CONTROL if name in FILES and asked_version == version(name) else "no-cache"
