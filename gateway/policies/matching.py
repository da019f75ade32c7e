"""Finds the route of a request: a tree of path segments for each listener, built once; no search through routes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.policies.model import Listener

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.policies.model import Route

_MOST_SEGMENTS = 32
_IGNORED_AT_THE_END = re.compile(r"(?:\.|%20)+(?=/|$)")


class UnknownPath(LookupError):
    """No route has this path."""


class AmbiguousPath(LookupError):
    """A careless server would take this path for another route's: one that takes no notice of letters' case, for example."""

    def __init__(self, route: Route) -> None:
        """Name one of the routes that it could be taken for."""
        super().__init__(f"could be taken for {route.template}")
        self.route = route


class WrongMethod(LookupError):
    """The path is known, with other methods: those of `allowed`. `route` is one of the path's."""

    def __init__(self, route: Route, allowed: frozenset[str]) -> None:
        """Say which methods the path has."""
        super().__init__(f"allowed are {', '.join(sorted(allowed))}")
        self.route = route
        self.allowed = allowed


@dataclass(slots=True)
class _Node:
    """A place in the tree: what may follow, and the routes that end here or swallow the rest."""

    literal: dict[str, _Node] = field(default_factory=dict)
    any_segment: _Node | None = None
    here: dict[str, Route] = field(default_factory=dict)
    rest: dict[str, Route] = field(default_factory=dict)


class RouteTable:
    """The routes of all listeners, ready to be asked for each request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Build the trees: one of the paths as they are, one of how a careless server may read them."""
        self._roots = {listener: _Node() for listener in Listener}
        self._careless = {listener: _Node() for listener in Listener}
        self._with_capitals: set[Listener] = set()
        for route in routes:
            if _carelessly(route.template) != route.template:
                self._with_capitals.add(route.listener)
            _plant(self._roots[route.listener], route, route.template)
            _plant(self._careless[route.listener], route, _carelessly(route.template))

    def route_of(self, listener: Listener, method: str, path: str) -> Route:
        """Return the route of `path` (starts with `/`, no query).

        Raises `UnknownPath`, `WrongMethod`, and `AmbiguousPath` rather than choose between the checks of two routes.
        """
        routes = _descend_from(self._roots[listener], path)
        if routes is None:
            raise UnknownPath(path)
        careless = _carelessly(path)
        if careless != path or listener in self._with_capitals:
            others = _descend_from(self._careless[listener], careless)
            if others != routes:
                raise AmbiguousPath(next(iter((others or routes).values())))
        route = routes.get(method)
        if route is None:
            raise WrongMethod(next(iter(routes.values())), frozenset(routes))
        return route

    def most_steps(self) -> int:
        """Return how many places of the trees the worst of all paths leads to, at most: that is what matching it costs."""
        return max(_most_steps(self._roots[each]) + _most_steps(self._careless[each]) for each in Listener)


def _carelessly(path: str) -> str:
    """Return a plain path as read without regard to case, a slash at the end, dots or spaces at a segment's end."""
    path = path.lower()
    if "." in path or "%20" in path:
        path = _IGNORED_AT_THE_END.sub("", path)
    return path.rstrip("/") or "/"


def _plant(node: _Node, route: Route, path: str) -> None:
    for segment in path.split("/")[1:]:
        if segment == "**":
            node.rest.update(dict.fromkeys(route.methods, route))
            return
        node = _child(node, segment)
    node.here.update(dict.fromkeys(route.methods, route))


def _child(node: _Node, segment: str) -> _Node:
    if not segment.startswith("{"):
        return node.literal.setdefault(segment, _Node())
    if node.any_segment is None:
        node.any_segment = _Node()
    return node.any_segment


def _descend_from(root: _Node, path: str) -> dict[str, Route] | None:
    segments = path.split("/")
    return _descend(root, segments, 1) if len(segments) <= _MOST_SEGMENTS else None


def _descend(node: _Node, segments: list[str], depth: int) -> dict[str, Route] | None:
    """Return the routes by method of the most specific match: a literal goes before a placeholder, both before `**`."""
    if depth == len(segments):
        return node.here or node.rest or None
    segment = segments[depth]
    child = node.literal.get(segment)
    found = _descend(child, segments, depth + 1) if child is not None else None
    if found is None and node.any_segment is not None and segment:
        found = _descend(node.any_segment, segments, depth + 1)
    return found or node.rest or None


def _most_steps(node: _Node) -> int:
    """Count the calls of `_descend`: no path has two literals at one place, but it may go both ways to a placeholder."""
    by_name = max(map(_most_steps, node.literal.values()), default=0)
    return 1 + by_name + (_most_steps(node.any_segment) if node.any_segment is not None else 0)
