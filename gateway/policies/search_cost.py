"""Bounds what it costs to find a path's route: where names and placeholders alternate, a search may go both ways each time.

Nobody who sends requests can make it cost more than the routes in force allow.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from gateway.configuration.model import Fault
from gateway.policies.matching import RouteTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.policies.model import Deployment

# In both trees of a listener together; all that comes with the gateway takes a sixteenth of it.
MOST_SEARCH_STEPS: Final = 256


def conflicts(deployments: Iterable[Deployment]) -> Iterator[Fault]:
    """Give the fault of the first document, by name, with which the search for some path would take too long."""
    in_order = sorted(deployments, key=lambda deployment: deployment.name)
    steps = most_steps(in_order)
    if steps <= MOST_SEARCH_STEPS:
        return
    counts = range(len(in_order) + 1)
    place = bisect_left(counts, MOST_SEARCH_STEPS + 1, key=lambda count: most_steps(in_order[:count]))
    text = f"names and placeholders alternate in so many ways that a path may take {steps} steps to match"
    where = f"deployments/{in_order[place - 1].name}"
    yield Fault("routes", f"{text}, at most {MOST_SEARCH_STEPS} are allowed: use fewer", where)


def most_steps(deployments: Sequence[Deployment]) -> int:
    """Return how many steps the worst of all paths takes."""
    return RouteTable(route for deployment in deployments for route in deployment.routes).most_steps()
