"""What has to happen to a table's rows so that they become others. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.snapshots.rows import Row


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows to delete and to change, as keys and as wholes, and rows to write. `is_whole`: all that there are go."""

    gone: Sequence[Row]
    changed: Sequence[Row]
    new: Sequence[Row]
    is_whole: bool = False


_NONE: Final = Difference((), (), ())


def difference(present: Sequence[Row], wanted: Sequence[Row], *, key: Sequence[int], is_append_only: bool) -> Difference:
    """Return how to get from `present` to `wanted`; `key` are the places of the primary key.

    A row that can't be changed is deleted and written anew. Rows without a key are known by all that they say.
    """
    # Most tables are as they were, in the same order.
    if present == wanted:
        return _NONE
    if not key:
        is_same = Counter(present) == Counter(wanted)
        return _NONE if is_same else Difference(gone=present, changed=(), new=wanted, is_whole=True)
    are_present, are_wanted = set(present), set(wanted)
    if is_append_only and 2 * len(are_present & are_wanted) < len(present):
        # All at once is quicker than more than half of them one by one.
        return Difference(gone=present, changed=(), new=wanted, is_whole=True)
    before = {_key_of(row, key) for row in present if row not in are_wanted}
    after = {_key_of(row, key): row for row in wanted if row not in are_present}
    if is_append_only:
        return Difference(gone=list(before), changed=(), new=list(after.values()))
    both = before & after.keys()
    new = [row for found, row in after.items() if found not in both]
    return Difference(gone=list(before - both), changed=[after[found] for found in both], new=new)


def _key_of(row: Row, key: Sequence[int]) -> Row:
    return tuple(row[place] for place in key)
