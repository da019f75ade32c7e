"""Answers that faults hold back, counted by TPP."""

from __future__ import annotations

import pytest

from gateway.admission.refusal import Refusal
from gateway.edge.held_answers import HeldAnswers


def test_each_tpp_has_its_own_share() -> None:
    """One more than that is refused; another TPP's are held all the same, and a place is free once its answer is sent."""
    held = HeldAnswers(most=2)

    with held.holding("A"):
        with held.holding("A"), held.holding("B"), pytest.raises(Refusal) as refusal, held.holding("A"):
            pytest.fail("a third answer was held")
        with held.holding("A"):
            pass

    assert refusal.value.reason == "fault.too_many_held"
