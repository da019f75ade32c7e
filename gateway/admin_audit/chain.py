"""Judges a chain of audit records: what was removed, changed, put in another order or cut off does not fit any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.admin_audit.record import GENESIS

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


class ChainBroken(ValueError):
    """A chain that somebody has tampered with; the message names the record."""


def verified_head(records: Iterable[AuditRecord], *, expected: Head | None = None) -> Head:
    """Return the head of the chain (records by number); raises `ChainBroken`.

    Without `expected`, records cut off at the end are not missed.
    """
    head = Head(0, GENESIS)
    seen = expected is None or expected == head
    for record in records:
        _require_next(record, head)
        head = Head(record.number, record.sha256)
        if expected is not None and head.number == expected.number:
            _require_same(head, expected)
            seen = True
    if not seen:
        msg = (
            f"the chain ends at record {head.number}, yet record {expected and expected.number} was there: the end was cut off"
        )
        raise ChainBroken(msg)
    return head


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
