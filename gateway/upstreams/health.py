"""Which of several targets gets the next request: those that fail are left alone for a while, the others share the work.

Nothing is sent merely to try a target: once its time is over the next request goes there, and tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from chassis.logs import get_logger
from gateway.upstreams.model import Balancing, Health

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Condition(StrEnum):
    """How a target does, the best first."""

    SERVING = "serving"
    FAILING = "failing"  # the last that was asked of it went wrong; it is asked all the same
    LEFT_ALONE = "left_alone"


class Loaded(Protocol):
    """A target that says how busy it is."""

    @property
    def target(self) -> str:
        """Its address, as it stands in logs."""

    @property
    def busy(self) -> int:
        """How many requests it has at hand."""


LoadedT = TypeVar("LoadedT", bound=Loaded)


@dataclass(slots=True, eq=False)
class Standing(Generic[LoadedT]):
    """One target, and how it has fared: `failures` in a row; left alone until `back_at`."""

    one: LoadedT
    failures: int = 0
    back_at: float = 0.0


class Balance(Generic[LoadedT]):
    """The targets of one upstream, and whose turn it is. `clock` gives seconds that only grow."""

    def __init__(
        self, upstream: str, targets: Sequence[LoadedT], balancing: Balancing, health: Health, clock: Callable[[], float]
    ) -> None:
        self.standings = tuple(Standing(each) for each in targets)
        self._upstream = upstream
        self._balancing = balancing
        self._health = health
        self._clock = clock
        self._turn = 0

    def order(self) -> list[Standing[LoadedT]]:
        """Return all targets, the best first; those that are left alone come last, the soonest back before the others."""
        now = self._clock()
        turned = self.standings[self._turn :] + self.standings[: self._turn]
        serving = [each for each in turned if each.back_at <= now]
        if self._balancing is Balancing.LEAST_BUSY:
            serving.sort(key=_busy)  # stable: where all are alike, they take turns
        resting = sorted((each for each in turned if each.back_at > now), key=lambda each: each.back_at)
        return serving + resting

    def conditions(self) -> dict[str, Condition]:
        """Return how each target does, by its address."""
        now = self._clock()
        return {each.one.target: _condition(each, now) for each in self.standings}

    def given_to(self, standing: Standing[LoadedT]) -> None:
        """Move the turn on: this target has got a request."""
        self._turn = (self.standings.index(standing) + 1) % len(self.standings)

    def succeeded(self, standing: Standing[LoadedT]) -> None:
        """Forget earlier failures: it has answered."""
        if standing.failures >= self._health.failures:
            get_logger().info("upstream.target_back", upstream=self._upstream, target=standing.one.target)
        standing.failures = 0
        standing.back_at = 0.0

    def failed(self, standing: Standing[LoadedT], reason: str) -> None:
        """Count a failure; after so many in a row the target is left alone, and again after each further one."""
        standing.failures += 1
        if standing.failures < self._health.failures:
            return
        if standing.back_at <= self._clock():
            get_logger().warning(
                "upstream.target_left_alone",
                upstream=self._upstream,
                target=standing.one.target,
                seconds=self._health.seconds,
                failures=standing.failures,
                reason=reason,
            )
        standing.back_at = self._clock() + self._health.seconds


def _busy(standing: Standing[LoadedT]) -> int:
    return standing.one.busy


def _condition(standing: Standing[LoadedT], now: float) -> Condition:
    if standing.back_at > now:
        return Condition.LEFT_ALONE
    return Condition.FAILING if standing.failures else Condition.SERVING
