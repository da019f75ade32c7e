"""A record of what an administrator did, and the hash that chains it to the one before."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.admin_audit.actor import Actor

GENESIS: Final = "0" * 64
"""What stands for the hash before the first record's."""

MOST_FIELDS: Final = 200
MOST_VALUE_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be recorded; `difference` lists the fields that changed, secrets redacted."""

    action: str
    object_kind: str
    object_name: str
    difference: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One link of the chain: every member but the last is hashed into it. `at` is ISO 8601, UTC; `difference` JSON."""

    number: int
    at: str
    actor: str
    on_behalf_of: str | None
    action: str
    object_kind: str
    object_name: str
    difference: str
    previous: str
    sha256: str = ""

    @property
    def expected_sha256(self) -> str:
        """Return the hash that the other members come to."""
        members = asdict(self)
        del members["sha256"]
        return hashlib.sha256(orjson.dumps(members, option=orjson.OPT_SORT_KEYS)).hexdigest()


def chained(entry: Entry, actor: Actor, *, at: str, previous: AuditRecord | None) -> AuditRecord:
    """Return the record of `entry` that follows `previous`."""
    members: dict[str, Any] = {
        "number": previous.number + 1 if previous else 1,
        "at": at,
        "actor": actor.name,
        "on_behalf_of": actor.on_behalf_of,
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_name": entry.object_name,
        "difference": _told(entry.difference),
        "previous": previous.sha256 if previous else GENESIS,
    }
    return AuditRecord(**members, sha256=AuditRecord(**members).expected_sha256)


def _told(difference: Sequence[Mapping[str, Any]]) -> str:
    """Return the difference as it is kept: what is long by its size and hash, for the audit is kept for years."""
    told = [{key: value if key == "field" else _shortened(value) for key, value in entry.items()} for entry in difference]
    if len(told) > MOST_FIELDS:
        told[MOST_FIELDS:] = [{"field": f"and {len(told) - MOST_FIELDS} more"}]
    return orjson.dumps(told).decode()


def _shortened(value: object) -> object:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if len(text) <= MOST_VALUE_BYTES:
        return value
    return f"({len(text)} bytes of JSON, SHA-256 {hashlib.sha256(text).hexdigest()})"
