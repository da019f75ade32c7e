"""What has to happen to a table's rows so that they become others. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.snapshots.rows import Row


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows to delete and to change, as keys and as wholes, and rows to write."""

    gone: Sequence[Row]
    changed: Sequence[Row]
    new: Sequence[Row]


def difference(present: Sequence[Row], wanted: Sequence[Row], *, key: Sequence[int], is_append_only: bool) -> Difference:
    """Return how to get from `present` to `wanted`; `key` are the places of the primary key.

    A row that can't be changed is deleted and written anew. Rows without a key are known by all that they say.
    """
    if not key:
        return _of_keyless(present, wanted)
    before = {tuple(row[place] for place in key): row for row in present}
    after = {tuple(row[place] for place in key): row for row in wanted}
    other = [found for found, row in after.items() if found in before and before[found] != row]
    gone = [found for found in before if found not in after]
    new = [row for found, row in after.items() if found not in before]
    if is_append_only:
        return Difference(gone=gone + other, changed=(), new=new + [after[found] for found in other])
    return Difference(gone=gone, changed=[after[found] for found in other], new=new)


def _of_keyless(present: Sequence[Row], wanted: Sequence[Row]) -> Difference:
    if Counter(present) == Counter(wanted):
        return Difference((), (), ())
    return Difference(gone=present, changed=(), new=wanted)
