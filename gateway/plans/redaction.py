"""Keeps secrets of paths and host names out of logs, also where a request was refused before anybody looked for a token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.plans.model import TokenLocation
from gateway.plans.tokens import SEGMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.policies.model import Route

_NEVER: Final = re.compile(r"(?!)")
_SHOWN_LABEL: Final = "{token}"


class Redaction:
    """What the routes in force say is secret."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        """Learn where secrets stand."""
        known = list(routes)
        self._beginnings = _beginnings(known)
        self._domains = frozenset(route.plan.name for route in known if route.plan.location is TokenLocation.HOST)

    def path(self, path: str) -> str:
        """Return the path of an unknown route, without the segment that would be secret in a known one."""
        return self._beginnings.sub(lambda match: match[0][: match.start(match.lastindex or 0)] + SEGMENT, path, count=1)

    def host(self, host: str | None) -> str | None:
        """Return the name that a client has called, without a token."""
        if not self._domains or not host:
            return host
        domain = host.partition(":")[0].lower()
        while domain:
            domain = domain.partition(".")[2]
            if domain in self._domains:
                return f"{_SHOWN_LABEL}.{domain}"
        return host


class Redactions:
    """What is secret now: a worker's log asks, its configuration changes it."""

    def __init__(self) -> None:
        """Know of no secrets yet."""
        self.now = Redaction()


def _beginnings(routes: Iterable[Route]) -> re.Pattern[str]:
    """Match a path from its begin to the end of its secret segment, which is the last group that takes part."""
    templates = {route.template[: route.template.index(SEGMENT)] for route in routes if SEGMENT in route.template}
    if not templates:
        return _NEVER
    patterns = [re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(template)) + "([^/]+)" for template in sorted(templates)]
    return re.compile("|".join(f"^{pattern}" for pattern in patterns))
