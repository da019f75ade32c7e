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
    """Rows to delete and to change, as keys and as wholes, and rows to write."""

    gone: Sequence[Row]
    changed: Sequence[Row]
    new: Sequence[Row]


_NONE: Final = Difference((), (), ())


def difference(present: Sequence[Row], wanted: Sequence[Row], *, key: Sequence[int], is_append_only: bool) -> Difference:
    """Return how to get from `present` to `wanted`; `key` are the places of the primary key.

    A row that can't be changed is deleted and written anew. Rows without a key are known by all that they say.
    """
    # Most tables are as they were, in the same order.
    if present == wanted:
        return _NONE
    if not key:
        return _NONE if Counter(present) == Counter(wanted) else Difference(gone=present, changed=(), new=wanted)
    are_present, are_wanted = set(present), set(wanted)
    before = {_key_of(row, key) for row in present if row not in are_wanted}
    after = {_key_of(row, key): row for row in wanted if row not in are_present}
    both = before & after.keys()
    if is_append_only:
        return Difference(gone=list(before), changed=(), new=list(after.values()))
    new = [row for found, row in after.items() if found not in both]
    return Difference(gone=list(before - both), changed=[after[found] for found in both], new=new)


def _key_of(row: Row, key: Sequence[int]) -> Row:
    return tuple(row[place] for place in key)
