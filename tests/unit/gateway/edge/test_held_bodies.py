"""Bodies that a worker holds while they arrive: bounded together, and by holder."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from gateway.admission.refusal import Refusal
from gateway.edge.held_bodies import FREE_BYTES, HeldBodies

SHARE = 1_000


@pytest.fixture
def bodies() -> HeldBodies:
    return HeldBodies(most_bytes=4 * SHARE, free_bytes=FREE_BYTES, reason="http.bodies_held")


def test_what_is_usual_is_not_counted(bodies: HeldBodies) -> None:
    """However many there are of it."""
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(bodies.body("A")).grow(FREE_BYTES)


def test_a_holder_has_its_share_and_gets_it_back(bodies: HeldBodies) -> None:
    """Over all of its bodies; another holder's are taken all the same."""
    with bodies.body("A") as first, bodies.body("A") as second, bodies.body("B") as other:
        first.grow(FREE_BYTES + SHARE - 10)
        second.grow(FREE_BYTES)
        second.grow(10)
        with pytest.raises(Refusal) as refusal:
            second.grow(1)
        other.grow(FREE_BYTES + SHARE)
    assert refusal.value.reason == "http.bodies_held"

    with bodies.body("A") as body:
        body.grow(FREE_BYTES + SHARE)


def test_all_together_have_a_bound(bodies: HeldBodies) -> None:
    """However many holders there are."""
    with ExitStack() as stack:
        for holder in "ABCD":
            stack.enter_context(bodies.body(holder)).grow(FREE_BYTES + SHARE)
        with pytest.raises(Refusal, match="4000 bytes"):
            stack.enter_context(bodies.body("E")).grow(FREE_BYTES + 1)
