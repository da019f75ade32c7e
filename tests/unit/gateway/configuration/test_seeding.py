"""Documents that come with the gateway or from files: renewed at each start, unless a person has changed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.configuration.changes import Change
from gateway.configuration.model import Document
from gateway.configuration.seeding import apply_files, apply_seeds
from gateway.configuration.snapshot import SetRefused
from gateway.configuration.store import SqlConfigurationStore
from tests.support.configured import PLANS

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.configuration.service import Configuration


class Start:
    """A gateway that starts again and again."""

    def __init__(self, configuration: Configuration, engine: Engine) -> None:
        self.configuration = configuration
        self.store = SqlConfigurationStore(engine)

    def seeds(self, **rates: int) -> dict[str, int]:
        apply_seeds(self.configuration, self.store, plans(rates))
        return self.rates()

    def files(self, **rates: int) -> dict[str, int]:
        apply_files(self.configuration, self.store, plans(rates))
        return self.rates()

    def operator(self, name: str, rate: int | None) -> None:
        body = None if rate is None else {"rate": rate}
        self.configuration.apply([Change(kind="plans", name=name, body=body)])

    def rates(self) -> dict[str, int]:
        return {name: plan.rate for name, plan in self.configuration.snapshot().of(PLANS).items()}


def plans(rates: dict[str, int]) -> list[Document]:
    return [Document("plans", name, {"rate": rate}) for name, rate in rates.items()]


@pytest.fixture
def start(configuration: Configuration, engine: Engine) -> Start:
    return Start(configuration, engine)


def test_a_newer_package_renews_adds_and_removes_what_nobody_touched(start: Start) -> None:
    """The same package changes nothing."""
    assert start.seeds(a=1, b=1) == {"a": 1, "b": 1}
    assert start.seeds(a=1, b=1) == {"a": 1, "b": 1}
    assert len(start.configuration.history("plans", "a")) == 1
    assert start.seeds(a=2, c=1) == {"a": 2, "c": 1}


def test_what_an_operator_changed_or_deleted_is_left_alone(start: Start) -> None:
    """Whatever a newer package says."""
    start.seeds(a=1, b=1, c=1)
    start.operator("a", 7)
    start.operator("b", None)

    assert start.seeds(a=2, b=2, c=2) == {"a": 7, "c": 2}
    assert start.seeds(c=2) == {"a": 7, "c": 2}


def test_what_is_referred_to_outlives_its_package(start: Start) -> None:
    """The rest of the package is renewed all the same."""
    start.seeds(a=1, b=1)
    start.configuration.apply([Change(kind="shops", name="s", body={"address": "/s", "plan": "a"})])

    assert start.seeds(b=2) == {"a": 1, "b": 2}


def test_a_package_that_does_not_fit_leaves_what_stands(start: Start) -> None:
    """A first start without a usable package says so."""
    with pytest.raises(SetRefused):
        start.seeds(a=0)
    start.seeds(a=1)
    assert start.seeds(a=0, b=1) == {"a": 1}


def test_files_take_the_place_of_seeds_and_win_again_when_they_change(start: Start) -> None:
    """An operator's change by hand holds until the file says something new."""
    start.seeds(a=1, b=1)
    assert start.files(a=5) == {"a": 5, "b": 1}
    assert start.seeds(a=2, b=2) == {"a": 5, "b": 2}
    start.operator("a", 7)
    assert start.files(a=5) == {"a": 7, "b": 2}
    assert start.files(a=6) == {"a": 6, "b": 2}


def test_files_that_can_not_be_used_are_refused_whole(start: Start) -> None:
    """At start, where somebody looks."""
    with pytest.raises(SetRefused, match="plans/b: rate"):
        start.files(a=1, b=0)
    assert start.rates() == {}
