"""The scale of a chart: round ticks over the values, and which of the labels below fit side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_STEPS = 4
# What a 360 px screen leaves for the drawing beside its axis; what a figure or a lower-case letter takes of it at 12 px.
NARROWEST_PIXELS = 230
CHARACTER_PIXELS = 7.2
_GAP_PIXELS = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From a value to its height in the plot: `ticks` are round values, the lowest and the highest are the ends."""

    ticks: tuple[float, ...]
    top: float
    bottom: float

    def height(self, value: float) -> float:
        """Return where `value` stands, in pixels from the upper edge of the drawing."""
        low, high = self.ticks[0], self.ticks[-1]
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)


def scale_over(lowest: float, highest: float, *, top: float, bottom: float, whole: bool) -> Scale:
    """Return a scale that holds zero and both values; `whole` allows no ticks between whole numbers (counts)."""
    low, high = min(lowest, 0.0), max(highest, 0.0)
    step = _round_step((high - low) / _MOST_STEPS, whole=whole)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return Scale(ticks=tuple(step * index for index in range(first, last + 1)), top=top, bottom=bottom)


def shown_labels(labels: Sequence[str]) -> tuple[int, ...]:
    """Return the indexes of the labels to write so that none touches the next, even on the narrowest screen."""
    if not labels:
        return ()
    widest = max(len(label) for label in labels) * CHARACTER_PIXELS + _GAP_PIXELS
    fitting = max(1, int(NARROWEST_PIXELS // widest))
    stride = math.ceil(len(labels) / fitting)
    return tuple(range(0, len(labels), stride))


def _round_step(least: float, *, whole: bool) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    # A hair of tolerance: 0.1 + 0.2 must not make the step jump.
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= least * (1 - 1e-9))
    return float(math.ceil(step)) if whole else step
