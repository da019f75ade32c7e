"""A line of an audit file as a row of the database, and as what it says."""

from __future__ import annotations

from typing import Any, Final

import orjson

Record = dict[str, Any]
AuditRow = dict[str, str | None]
_BEGINNING: Final = b'{"ts":'
# PostgreSQL takes up to 2,700 octets in an index.
_MOST_INDEXED: Final = 200
_MOST_KEY: Final = 64


def parsed(line: bytes) -> Record | None:
    """Return what a line says; None for one that can't be read.

    Whoever goes on in the file of a worker that was killed in the middle of a line writes behind its torn beginning.
    Nobody can write a record's beginning into a record: within a JSON string a quote is always behind a backslash.
    """
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        whole = line.rfind(_BEGINNING)
        return parsed(line[whole:]) if whole > 0 else None
    return record if isinstance(record, dict) else None


def row_of(line: bytes, *, file: str, end: int) -> AuditRow | None:
    """Return the row of the line that ends at a place of a file; None for one that can't be read."""
    record = parsed(line)
    if record is None:
        return None
    request_id = str(record.get("request_id") or "")
    seal = (record.get("signature") or {}).get("certificate") or {}
    return {
        "key": request_id if 0 < len(request_id) <= _MOST_KEY else f"{file}:{end}",
        "ts": indexed(str(record.get("ts", ""))),
        "request_id": indexed(request_id),
        "tpp": indexed(record.get("tpp")),
        "reason": indexed(record.get("reason")),
        "certificate": indexed((record.get("certificate") or {}).get("sha256")),
        "seal": indexed(seal.get("sha256")),
        "record": orjson.dumps(record).decode(),
    }


def indexed(value: object) -> str | None:
    """Return as much of a value as the database finds it by; PostgreSQL has no place for a NUL."""
    return None if value is None else str(value).replace("\0", "")[:_MOST_INDEXED]
