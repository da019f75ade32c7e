"""Matching: the tree finds what a slow and obvious reading of the templates finds, and takes nothing for another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.configuration.model import Document
from gateway.configuration.snapshot import SnapshotReader
from gateway.kinds import KINDS
from gateway.policies.kind import Routes
from gateway.policies.matching import AmbiguousPath, RouteTable, UnknownPath
from gateway.policies.model import Listener
from gateway.policies.overlaps import conflicts
from tests.support.deployments import deployment, snapshot_of, versions

if TYPE_CHECKING:
    from gateway.configuration.versions import Version
    from gateway.policies.model import Route

SEGMENTS = st.sampled_from(["a", "b", "A", "{x}"])
TEMPLATES = st.builds(
    lambda segments, rest: "".join(f"/{_placeholder(each, depth)}" for depth, each in enumerate(segments)) + rest or "/",
    st.lists(SEGMENTS, max_size=3),
    st.sampled_from(["", "/**"]),
)
PATHS = st.builds(
    lambda segments, end: "".join(f"/{each}" for each in segments) + end or "/",
    st.lists(st.sampled_from(["a", "b", "A", "c"]), max_size=4),
    st.sampled_from(["", "/"]),
)


def _placeholder(segment: str, depth: int) -> str:
    return f"{{{'xyz'[depth]}}}" if segment == "{x}" else segment


def table(*paths: str) -> RouteTable:
    return RouteTable(deployment(*[{"path": path, "methods": ["GET"]} for path in paths]).routes)


def found(routes: RouteTable, path: str) -> str:
    try:
        return routes.route_of(Listener.EDGE, "GET", path).template
    except (UnknownPath, AmbiguousPath) as error:
        return type(error).__name__


def _obviously(templates: list[str], path: str) -> str | None:
    """Return the most specific template with the path: segment by segment a literal before a placeholder before the rest."""
    ranked = [(rank, template) for template in templates if (rank := _rank(template, path)) is not None]
    return min(ranked)[1] if ranked else None


def _rank(template: str, path: str) -> tuple[int, ...] | None:
    wanted, given_ = template.split("/")[1:], path.split("/")[1:]
    rank: list[int] = []
    for number, segment in enumerate(wanted):
        if segment == "**":
            return (*rank, 2)
        if number >= len(given_) or (segment.startswith("{") and not given_[number]):
            return None
        if not segment.startswith("{") and segment != given_[number]:
            return None
        rank.append(1 if segment.startswith("{") else 0)
    return tuple(rank) if len(wanted) == len(given_) else None


@settings(max_examples=200, deadline=None)
@given(templates=st.lists(TEMPLATES, min_size=1, max_size=5, unique=True), path=PATHS)
def test_the_tree_finds_what_an_obvious_search_finds(templates: list[str], path: str) -> None:
    """For all routes that may be in force together; a path that a careless server could take for another's is neither's."""
    usable: list[str] = []
    for template in templates:
        if not list(conflicts([deployment(*[{"path": each, "methods": ["GET"]} for each in (*usable, template)])])):
            usable.append(template)
    expected = _obviously(usable, path)
    careless = path.lower().rstrip("/") or "/"
    seen_carelessly = _obviously([template.lower() for template in usable], careless)
    outcome = found(table(*usable), path)
    if expected is None:
        assert outcome == "UnknownPath"
    elif seen_carelessly != expected.lower():
        assert outcome == "AmbiguousPath"
    else:
        assert outcome == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/admin", "/admin"),
        ("/other", "/**"),
        ("/Other/", "/**"),
        ("/ADMIN", "AmbiguousPath"),
        ("/admin/", "AmbiguousPath"),
        ("/Admin//", "AmbiguousPath"),
        ("/accounts/DE12", "/accounts/{account}"),
        ("/accounts/Mine", "AmbiguousPath"),
        ("/accounts/mine/", "AmbiguousPath"),
        ("/reports/X", "/reports/**"),
    ],
)
def test_a_path_that_is_anothers_to_a_careless_server_is_refused(path: str, expected: str) -> None:
    """An upstream may take no notice of letters' case, or of a slash at the end; the laxer route must not be the way to it."""
    routes = table("/admin", "/accounts/{account}", "/accounts/mine", "/reports/**", "/**")
    assert found(routes, path) == expected


def test_a_thousand_deployments_make_no_deeper_a_search() -> None:
    """The steps to a route are as many as its path has segments, however many routes there are."""
    few, many = _steps(1), _steps(1_000)
    assert few == many


def _steps(count: int) -> int:
    """Count the look-ups in dictionaries on the way to a route of the last of so many deployments."""
    routes: list[Route] = []
    for number in range(count):
        routes += deployment(
            {"path": "/things/{thing}", "methods": ["GET"]}, path_prefix=f"/api{number}", name=f"d{number}"
        ).routes
    steps = 0

    class Counted(dict):  # type: ignore[type-arg]
        def get(self, *key: object) -> object:
            nonlocal steps
            steps += 1
            return super().get(*key)

    made = RouteTable(routes)
    pending = [made._roots[Listener.EDGE]]
    while pending:
        node = pending.pop()
        node.literal = Counted(node.literal)
        pending += [*node.literal.values(), *([node.any_segment] if node.any_segment else [])]
    assert made.route_of(Listener.EDGE, "GET", f"/api{count - 1}/things/1").deployment == f"d{count - 1}"
    return steps


def test_a_table_is_made_anew_only_where_deployments_have_changed() -> None:
    """Other documents change too, and a thousand deployments are not laid out again for that."""
    reader = SnapshotReader(KINDS)
    routes = Routes()
    first, again, other = (versions_of("/a"), versions_of("/a"), versions_of("/b"))
    routes.prepare(reader.read(first))()
    table_of_first = routes.table
    routes.prepare(reader.read(again))()
    assert routes.table is table_of_first
    routes.prepare(reader.read(other))()
    assert found(routes.table, "/b") == "/b"
    assert found(routes.table, "/a") == "UnknownPath"


def test_a_set_that_is_prepared_is_not_in_force_yet() -> None:
    """All parts take a new set at one moment, on the event loop."""
    routes = Routes()
    put_in_force = routes.prepare(snapshot_of([document_of("/a")]))
    assert found(routes.table, "/a") == "UnknownPath"
    put_in_force()
    assert found(routes.table, "/a") == "/a"


def document_of(path: str) -> Document:
    body = {"listener": "edge", "upstream": "bank", "mtls": "off", "routes": [{"path": path, "methods": ["GET"]}]}
    return Document("deployments", "one", body)


def versions_of(path: str) -> list[Version]:
    return versions([document_of(path)])
