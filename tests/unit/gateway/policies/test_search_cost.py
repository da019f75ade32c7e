"""What it costs to find a route: counted in steps, whatever path is asked for, and bounded for every set in force."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.configuration.model import Document
from gateway.configuration.snapshot import SetRefused
from gateway.policies import matching, overlaps
from gateway.policies.matching import AmbiguousPath, RouteTable, UnknownPath
from gateway.policies.model import Listener
from gateway.policies.search_cost import MOST_SEARCH_STEPS, conflicts, most_steps
from tests.support.deployments import deployment, shipped_deployments, snapshot_of

if TYPE_CHECKING:
    from gateway.policies.model import Deployment

SEGMENTS = st.sampled_from(["a", "b", "{}"])
TEMPLATES = st.lists(st.lists(SEGMENTS, min_size=1, max_size=6), min_size=1, max_size=15, unique_by=tuple)
PATHS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=7)


def template(segments: list[str] | tuple[str, ...]) -> str:
    written = ("{" + "p" * place + "}" if each == "{}" else each for place, each in enumerate(segments, 1))
    return "".join(f"/{each}" for each in written)


def alternating(depth: int, name: str = "one") -> list[str]:
    """Return templates that go both ways at each of so many places, and end in names of their own: no two of them meet."""
    return [f"{template(way)}/{name}{number}" for number, way in enumerate(product(("a", "{}"), repeat=depth))]


def made_of(paths: list[str], name: str = "one") -> RouteTable:
    return RouteTable(named(paths, name).routes)


def named(paths: list[str], name: str = "one") -> Deployment:
    return deployment(*[{"path": path, "methods": ["GET"]} for path in paths], name=name)


def steps_to(table: RouteTable, path: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count the places of the trees that a search comes to."""
    count, descend = 0, matching._descend

    def counted(*arguments: object) -> object:
        nonlocal count
        count += 1
        return descend(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(matching, "_descend", counted)
        with suppress(UnknownPath, AmbiguousPath):
            table.route_of(Listener.EDGE, "GET", path)
    return count


@settings(max_examples=60, deadline=None)
@given(templates=TEMPLATES, asked=PATHS, end=st.sampled_from(["", "/", ".", "A"]))
def test_no_path_takes_more_steps_than_the_bound_says(templates: list[list[str]], asked: list[str], end: str) -> None:
    """Whatever the routes: those that meet, which no set in force has, among them."""
    table = made_of([template(each) for each in templates])
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert steps_to(table, "/" + "/".join(asked) + end, monkeypatch) <= table.most_steps()


@pytest.mark.parametrize("depth", range(1, 9))
def test_where_names_and_placeholders_alternate_a_search_is_bounded(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each more of such places doubles the steps, up to the bound; what goes beyond it is refused by its document."""
    table = made_of(alternating(depth))
    steps = steps_to(table, "/a" * depth + "/none", monkeypatch)
    assert 2 ** (depth + 1) - 1 <= steps <= table.most_steps(), "the path that goes all ways"
    faults = list(conflicts([named(alternating(depth))]))
    assert bool(faults) == (table.most_steps() > MOST_SEARCH_STEPS)


def test_the_document_is_named_with_which_it_becomes_too_much() -> None:
    """By name: who comes later has to do with less."""
    small, large = named(alternating(3, "s"), "a"), named(alternating(8, "l"), "b")
    (fault,) = conflicts([large, small, named(["/c"], "c")])
    assert (fault.document, "use fewer" in fault.problem) == ("deployments/b", True)
    assert not list(conflicts([small, named(["/c"], "c")]))


def test_what_comes_with_the_gateway_takes_few_steps() -> None:
    """As do a thousand deployments more, each with its own prefix."""
    shipped = list(shipped_deployments().all)
    others = [named([f"/api{number}/{{a}}/b/{{c}}", f"/api{number}/c/{{d}}/e"], f"d{number}") for number in range(200)]
    assert most_steps([*shipped, *others]) == most_steps(shipped) <= MOST_SEARCH_STEPS // 10


def test_looking_for_overlaps_takes_as_many_steps_as_it_may_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted at every place that it comes to, those below a catch-all too."""
    allowed, count, steps = 3_000, 0, overlaps._steps

    def counted(*arguments: object) -> object:
        nonlocal count
        count += 1
        return steps(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(overlaps, "_MOST_STEPS", allowed)
    monkeypatch.setattr(overlaps, "_steps", counted)
    (fault,) = overlaps.conflicts([named(alternating(8))])
    assert (fault.field, "use fewer" in fault.problem) == ("routes", True)
    assert count <= allowed


def test_no_set_in_force_is_beyond_the_bound() -> None:
    """A document is judged by it with all others."""
    routes = [{"path": path, "methods": ["GET"]} for path in alternating(8)]
    body = {"listener": "edge", "upstream": "bank", "mtls": "required", "routes": routes}
    with pytest.raises(SetRefused, match="steps to match"):
        snapshot_of([Document("deployments", "one", body)])
