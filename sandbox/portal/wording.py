"""Template filters: how pages write times, and what browsers are called."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable

# The first that fits counts: each browser names those that it wants to be taken for as well.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_PROGRAM = re.compile(r"[A-Za-z][\w.-]{0,30}")


def moment(at: datetime | float) -> Markup:
    """Return a time as `<time>`: 3 March 2026, 14:05 UTC."""
    when = _aware(at)
    return _time(when, f"{when.day} {when:%B %Y, %H:%M} UTC")


def day(at: datetime | float) -> Markup:
    """Return a date as `<time>`: 3 March 2026."""
    when = _aware(at)
    return _time(when, f"{when.day} {when:%B %Y}")


def device(user_agent: str) -> str:
    """Return what a browser is called by people: Firefox on Linux."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), None)
    if browser is None:
        program = _PROGRAM.match(user_agent)
        return program[0] if program else "Unknown browser"
    return f"{browser} on {system}" if system else browser


def _aware(at: datetime | float) -> datetime:
    return at.astimezone(UTC) if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)


def _time(when: datetime, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(when.isoformat(timespec="seconds"), text)


FILTERS: dict[str, Callable[..., object]] = {"moment": moment, "day": day, "device": device}
