"""Which lists are fetched next: several at once, and nobody's slowness at the cost of others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gateway.trust.crl_points import Point

AT_ONCE: Final = 12
OF_A_STORE: Final = 2
# Of those that failed last time: they keep half of all turns free, and one of each store's.
FAILED_AT_ONCE: Final = AT_ONCE // 2
FAILED_OF_A_STORE: Final = OF_A_STORE - 1


def next_turns(due: Iterable[Point], under_way: Collection[Point]) -> list[Point]:
    """Return the addresses to begin with now: those that went well last time first, then who has waited longest."""
    running = list(under_way)
    taken = {(each.store, each.url) for each in running}
    begun: list[Point] = []
    for point in sorted(due, key=lambda each: (each.failure is not None, each.due_at)):
        if (point.store, point.url) not in taken and _has_room(point, running):
            begun.append(point)
            running.append(point)
    return begun


def _has_room(point: Point, running: Collection[Point]) -> bool:
    of_stores = Counter(each.store for each in running)
    if len(running) >= AT_ONCE or of_stores[point.store] >= OF_A_STORE:
        return False
    failed = Counter(each.store for each in running if each.failure is not None)
    return point.failure is None or (failed.total() < FAILED_AT_ONCE and failed[point.store] < FAILED_OF_A_STORE)
