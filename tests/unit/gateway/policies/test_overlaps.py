"""Several deployments: whose checks apply is never left to chance, and a refusal names both."""

from __future__ import annotations

from itertools import islice, product
from typing import Any

import pytest

from gateway.policies import overlaps
from gateway.policies.overlaps import conflicts
from tests.support.deployments import deployment, shipped_deployments


def named(name: str, *paths: str, methods: tuple[str, ...] = ("GET",), **fields: Any) -> Any:
    return deployment(*[{"path": path, "methods": list(methods)} for path in paths], name=name, **fields)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/v1/things", "/v1/things"),
        ("/v1/{a}", "/v1/{b}"),
        ("/v1/Things", "/v1/things"),
        ("/v1/**", "/v1/**"),
        ("/v1/{a}/x", "/v1/b/{c}"),
        ("/{a}/x", "/b/**"),
        ("/{a}/x/**", "/b/**"),
        ("/{a}/**", "/b/{c}/**"),
    ],
)
def test_routes_that_could_both_be_meant_are_refused(first: str, second: str) -> None:
    """Equal, or with paths in common of which neither is the more specific."""
    expected = first.split("/")[1:2] != ["{a}"] or second != "/b/{c}/**"
    for one, other in ((first, second), (second, first)):
        found = list(conflicts([named("one", one), named("two", other)]))
        assert len(found) == expected
        for fault in found:
            assert (fault.document, fault.field) == ("deployments/two", "routes[0].path")
            assert "deployments/one" in fault.problem


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/v1/things", "/v1/other"),
        ("/v1/things", "/v1/{a}"),
        ("/v1/things", "/v1/**"),
        ("/v1", "/v1/**"),
        ("/v1/{a}", "/v1/**"),
        ("/v1/{a}/x", "/v1/{a}/y"),
        ("/v1/{a}/x", "/v1/b/y"),
        ("/**", "/v1/**"),
        ("/v1/a/{b}", "/v1/{a}"),
    ],
)
def test_the_more_specific_of_two_wins_so_both_may_be(first: str, second: str) -> None:
    """As they may where they have nothing in common."""
    for one, other in ((first, second), (second, first)):
        assert list(conflicts([named("one", one), named("two", other)])) == []


def test_one_path_may_be_shared_by_method() -> None:
    """And another listener is another place."""
    assert not list(conflicts([named("one", "/a"), named("two", "/a", methods=("POST",))]))
    assert not list(conflicts([named("one", "/a"), named("two", "/a", listener="front", mtls="off")]))


@pytest.mark.parametrize(
    ("prefix", "other"), [("/api", "/api/x"), ("/api", "/**"), ("/api", "/{a}/b"), ("/api", "/API/x"), ("/api/v1", "/api/**")]
)
def test_a_prefix_belongs_to_one_deployment(prefix: str, other: str) -> None:
    """What is unknown below it would otherwise end at the other's, under the other's checks."""
    (fault,) = conflicts([named("own", "/things", path_prefix=prefix), named("stranger", other)])
    assert (fault.document, fault.field) == ("deployments/own", "path_prefix")
    assert "deployments/stranger" in fault.problem


@pytest.mark.parametrize(("first", "second"), [("/api", "/api"), ("/api", "/api/v2")])
def test_two_prefixes_do_not_overlap(first: str, second: str) -> None:
    """Equal, or one within the other."""
    found = list(conflicts([named("one", "/a", path_prefix=first), named("two", "/b", path_prefix=second)]))
    assert found
    assert all("deployments/one" in fault.problem + str(fault.document) for fault in found)


def test_a_prefix_leaves_others_alone() -> None:
    """Beside it everything may be, within it what is its own."""
    own = named("own", "/", "/{a}", "/b", "/**", path_prefix="/api")
    assert not list(conflicts([own, named("other", "/apis", "/v1/api", "/")]))


def test_what_comes_with_the_gateway_is_coherent() -> None:
    """All of it, at once."""
    assert not list(conflicts(shipped_deployments().all))


def _in_every_way(count: int, *, end: str) -> list[str]:
    """Return templates in which placeholders and names alternate, each in another way."""
    ways = product(("a", "{}"), repeat=12)
    written = ("/" + "/".join(each.format("{" + "p" * place + "}") for place, each in enumerate(way, 1)) for way in ways)
    return [f"{path}/{end.format(number)}" for number, path in enumerate(islice(written, count))]


def test_a_set_that_can_not_be_looked_through_is_refused_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else can be changed meanwhile, no certificate blocked: 430 kB of such routes took minutes."""
    monkeypatch.setattr(overlaps, "_MOST_STEPS", 20_000)
    (fault,) = conflicts([named("one", *_in_every_way(600, end="x{}"))])
    assert (fault.document, fault.field) == ("deployments/one", "routes")
    assert "use fewer" in fault.problem
    assert not list(conflicts([named("one", *_in_every_way(50, end="x{}"))]))


def test_faults_are_told_up_to_a_hundred() -> None:
    """Of so many routes that all meet there would be a fault for each two."""
    assert len(list(conflicts([named("one", *_in_every_way(600, end="x"))]))) == 100
