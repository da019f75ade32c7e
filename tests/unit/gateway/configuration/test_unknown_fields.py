"""A misspelt field is answered with the fields there are, and the one that was probably meant."""

from __future__ import annotations

import pytest

from gateway.configuration.bodies import DocumentBody, read_body
from gateway.configuration.model import Document, DocumentRefused


class Rate(DocumentBody):
    """A rate."""

    per_second: int
    burst: int = 0


class Terms(DocumentBody):
    """What stands in a list, or in a union."""

    rate: Rate | None = None
    rates: tuple[Rate, ...] = ()


class Body(DocumentBody):
    """A body with others in it."""

    title: str = ""
    routes: tuple[Terms, ...] = ()


def faults(body: dict[str, object]) -> dict[str, str]:
    """Return what is wrong with a body, by field."""
    with pytest.raises(DocumentRefused) as refused:
        read_body(Body, Document(kind="things", name="one", body=body))
    return {fault.field: fault.problem for fault in refused.value.faults}


def test_the_field_that_was_probably_meant_is_named() -> None:
    """And all there are."""
    assert faults({"titel": "x"}) == {
        "titel": "there is no such field; 'title' was probably meant; there are routes, title",
    }


@pytest.mark.parametrize(
    ("routes", "field"),
    [
        ([{}, {"rate": {"per_second": 1, "brst": 2}}], "routes[1].rate.brst"),
        ([{"rates": [{"per_second": 1, "brst": 2}]}], "routes[0].rates[0].brst"),
    ],
)
def test_fields_are_those_of_the_place(routes: list[object], field: str) -> None:
    """However deep, in lists and behind an optional."""
    assert faults({"routes": routes}) == {
        field: "there is no such field; 'burst' was probably meant; there are burst, per_second",
    }


def test_nothing_is_guessed_from_afar() -> None:
    """A name that is like none is only told what there is."""
    assert faults({"xyzzy": 1}) == {"xyzzy": "there is no such field; there are routes, title"}
