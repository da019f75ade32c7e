"""Judges a chain of audit records: what was removed, changed, put in another order or cut off does not fit any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from gateway.admin_audit.record import GENESIS, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.admin_audit.record import AuditRecord


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record of a chain; whoever notes it elsewhere can later tell that nothing up to it is gone."""

    number: int
    sha256: str

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read `17:ab…`; raises `ValueError`."""
        number, colon, sha256 = text.partition(":")
        if not colon or not number.isdecimal() or len(sha256) != len(GENESIS) or set(sha256) - set("0123456789abcdef"):
            msg = f"{text!r} is no head: write NUMBER:SHA256 as `gateway audit verify` printed it"
            raise ValueError(msg)
        return cls(int(number), sha256)

    def __str__(self) -> str:
        return f"{self.number}:{self.sha256}"


_BEGINNING: Final = Head(0, GENESIS)
PRUNED: Final = "pruned"
_KIND, _THROUGH = "admin-audit", "through"


class ChainBroken(ValueError):
    """A chain that somebody has tampered with; the message names the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A chain that is whole: its newest record, how many there are, and the last of those that were pruned before them."""

    head: Head
    records: int
    pruned: Head


def verified_chain(records: Iterable[AuditRecord], *, expected: Head | None = None) -> Verified:
    """Verify the chain (records by number); raises `ChainBroken`.

    It begins with the first record, or behind those of which its newest record of a pruning says that they were pruned.
    Without `expected`, records cut off at the end are not missed.
    """
    start = head = sealed = _BEGINNING
    seen = expected is None or expected == _BEGINNING
    for record in records:
        if head == _BEGINNING:
            start = head = Head(record.number - 1, record.previous) if record.number > 1 else _BEGINNING
            seen = seen or expected == start
        _require_next(record, head)
        head = Head(record.number, record.sha256)
        sealed = pruned_through(record) or sealed
        if expected is not None and head.number == expected.number:
            _require_same(head, expected)
            seen = True
    _require_sealed(start, sealed)
    if not seen and expected is not None:
        raise ChainBroken(_missed(expected, start, head))
    return Verified(head=head, records=head.number - start.number, pruned=start)


def pruning(through: Head) -> Entry:
    """Return what is recorded when all records up to one are deleted: the chain goes on from what it says."""
    return Entry(
        action=PRUNED, object_kind=_KIND, object_name="records", difference=[{"field": _THROUGH, "after": str(through)}]
    )


def pruned_through(record: AuditRecord) -> Head | None:
    """Return up to where a record says that the chain was pruned; None for one that tells of something else."""
    if (record.action, record.object_kind) != (PRUNED, _KIND):
        return None
    try:
        return Head.parse(orjson.loads(record.difference)[0]["after"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _require_sealed(start: Head, sealed: Head) -> None:
    if start == sealed:
        return
    if sealed == _BEGINNING:
        msg = f"record {start.number} is missing, and all before it: no record says that they were pruned"
    else:
        msg = f"the chain begins behind record {start.number}, yet it was pruned up to record {sealed}"
    raise ChainBroken(msg)


def _missed(expected: Head, start: Head, head: Head) -> str:
    if expected.number <= start.number:
        return f"record {expected.number} was pruned: give the head of a later one, from {start} on"
    return f"the chain ends at record {head.number}, yet record {expected.number} was there: the end was cut off"


def _require_next(record: AuditRecord, head: Head) -> None:
    if record.number != head.number + 1:
        msg = f"record {head.number + 1} is missing: record {record.number} follows record {head.number}"
        raise ChainBroken(msg)
    if record.sha256 != record.expected_sha256:
        msg = f"record {record.number} was changed: its content does not have the hash that it carries"
        raise ChainBroken(msg)
    if record.previous != head.sha256:
        msg = f"record {record.number} does not follow record {head.number}: one of them was replaced"
        raise ChainBroken(msg)


def _require_same(head: Head, expected: Head) -> None:
    if head != expected:
        msg = f"record {head.number} has the hash {head.sha256}, expected was {expected.sha256}: the chain was rewritten"
        raise ChainBroken(msg)
