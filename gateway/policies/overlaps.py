"""Finds routes and prefixes of several deployments that would leave it to chance, or to a detail, whose checks apply.

Two routes may have a path in common only where one is the more specific throughout: it wins (`gateway.policies.matching`).
Letters' case makes no difference here: there are servers to which it makes none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from gateway.configuration.model import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.policies.model import Deployment, Listener, Route

_PLACEHOLDER = "{}"
_REST = "**"
# Changes are made one at a time: a set that takes minutes to look through would keep a block or a revocation waiting.
_MOST_FAULTS: Final = 100
_MOST_STEPS: Final = 500_000  # a thousand deployments of ordinary paths take some ten thousand


class _TooManyWays(Exception):
    """Placeholders and literals alternate in so many ways that it takes too long to tell which routes meet."""


@dataclass(slots=True)
class _Effort:
    """The steps that are left."""

    left: int

    def step(self) -> None:
        """Take one; raises `_TooManyWays`."""
        self.left -= 1
        if self.left < 0:
            raise _TooManyWays


@dataclass(frozen=True, slots=True)
class _Place:
    """A route and where it stands; `number` is its place in the deployment."""

    deployment: Deployment
    number: int
    route: Route


@dataclass(slots=True)
class _Node:
    """A place in the tree of all templates of a listener: what follows, and what ends here."""

    children: dict[str, _Node] = field(default_factory=dict)
    places: list[_Place] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A route that has paths in common with a template: which of the two is the wider at some segment."""

    place: _Place
    it_is_wider: bool
    template_is_wider: bool


def conflicts(deployments: Iterable[Deployment]) -> Iterator[Fault]:
    """Give the faults, at most a hundred of them, each in the name of the later of two documents."""
    return islice(_conflicts(sorted(deployments, key=lambda deployment: deployment.name)), _MOST_FAULTS)


def _conflicts(in_order: list[Deployment]) -> Iterator[Fault]:
    trees: dict[Listener, _Node] = {}
    effort = _Effort(_MOST_STEPS)
    for check in (_of_routes, _of_prefix):
        for deployment in in_order:
            try:
                yield from check(trees.setdefault(deployment.listener, _Node()), deployment, effort)
            except _TooManyWays:
                text = "placeholders and names alternate in too many ways to tell which routes have paths in common: use fewer"
                yield Fault("routes", text, f"deployments/{deployment.name}")
                return


def _of_routes(tree: _Node, deployment: Deployment, effort: _Effort) -> Iterator[Fault]:
    """Compare each route with those before it, and plant it in the tree."""
    for number, route in enumerate(deployment.routes):
        place = _Place(deployment, number, route)
        yield from _of_route(tree, place, effort)
        _plant(tree, place)


def _of_route(tree: _Node, place: _Place, effort: _Effort) -> Iterator[Fault]:
    route = place.route
    for met in _meetings(tree, _segments(route.template), effort):
        other = met.place.route
        is_same = not met.it_is_wider and not met.template_is_wider
        methods = ", ".join(sorted(route.methods & other.methods))
        where = f"{other.template} of deployments/{met.place.deployment.name}"
        if is_same and methods:
            yield _fault(place, f"{methods} {route.template} on {route.listener} is there already: {where}")
        elif met.it_is_wider and met.template_is_wider:
            text = f"{route.template} and {where} have paths in common, and neither is the more specific: name the paths"
            yield _fault(place, text)


def _of_prefix(tree: _Node, deployment: Deployment, effort: _Effort) -> Iterator[Fault]:
    """Keep a prefix to its deployment: what is unknown below it must not end at another's catch-all."""
    if not deployment.path_prefix:
        return
    for met in _meetings(tree, [*_segments(deployment.path_prefix), _REST], effort, all_below=True):
        if met.place.deployment is not deployment:
            text = (
                f"{deployment.path_prefix} belongs to deployments/{deployment.name} alone, and {met.place.route.template} "
                f"of deployments/{met.place.deployment.name} has paths there: choose another prefix, or leave it out"
            )
            yield Fault("path_prefix", text, f"deployments/{deployment.name}")


def _fault(place: _Place, problem: str) -> Fault:
    return Fault(f"routes[{place.number}].path", problem, f"deployments/{place.deployment.name}")


def _segments(template: str) -> list[str]:
    return [_PLACEHOLDER if segment.startswith("{") else segment.casefold() for segment in template.split("/")[1:]]


def _plant(node: _Node, place: _Place) -> None:
    for segment in _segments(place.route.template):
        node = node.children.setdefault(segment, _Node())
    node.places.append(place)


def _meetings(tree: _Node, template: list[str], effort: _Effort, *, all_below: bool = False) -> Iterator[_Meeting]:
    """Give the routes that have a path in common with `template`.

    Of those that `**` takes in whole, only with `all_below`: to contain another is no conflict of routes.
    """
    pending = [(tree, 0, False, False)]
    while pending:
        node, depth, it, template_is = pending.pop()
        effort.step()
        for rest in node.children.get(_REST, _Node()).places:
            yield _Meeting(rest, it or template[depth:] != [_REST], template_is)
        if template[depth:] == [_REST]:
            if it or all_below:
                yield from (_Meeting(place, it, template_is_wider=True) for place in _below(node))
        elif depth == len(template):
            yield from (_Meeting(place, it, template_is) for place in node.places)
        else:
            pending += [(child, depth + 1, *flags) for child, flags in _steps(node, template[depth], it, template_is)]


def _steps(node: _Node, segment: str, it: bool, template_is: bool) -> Iterator[tuple[_Node, tuple[bool, bool]]]:  # noqa: FBT001 - the two sides, in this order throughout
    """Give the ways on, each with which side is the wider by then."""
    for name, child in node.children.items() if segment == _PLACEHOLDER else ():
        if name != _REST:
            yield child, (it, template_is or name != _PLACEHOLDER)
    if segment != _PLACEHOLDER:
        if segment in node.children:
            yield node.children[segment], (it, template_is)
        if _PLACEHOLDER in node.children:
            yield node.children[_PLACEHOLDER], (True, template_is)


def _below(node: _Node) -> Iterator[_Place]:
    pending = [node]
    while pending:
        each = pending.pop()
        yield from each.places
        pending += [child for name, child in each.children.items() if each is not node or name != _REST]
