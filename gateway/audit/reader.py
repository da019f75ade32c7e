"""Reads the newest audit records of all workers, in the order of their times, never more than a budget allows."""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from gateway.audit.trail import NEWEST, Budget, Trail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_RECORDS: Final = 1_000
_MOST_BYTES_READ: Final = 512 * 1024 * 1024
_MOST_SECONDS: Final = 0.5
# A request is recorded when it ends: as long after its id was made as it took, mostly a moment.
_MOST_DURATIONS: Final = (timedelta(seconds=2), timedelta(minutes=10))
_UUID_TIME_DIGITS: Final = 12
_REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LATEST_MILLISECONDS: Final = 200_000_000_000_000  # the year 8307: beyond it no date can be reckoned with

Record = dict[str, Any]


class Cursor(NamedTuple):
    """A place in the log: the time of a record as written, and its id, for records of the same microsecond."""

    moment: str
    request_id: str = ""

    @staticmethod
    def of(record: Record) -> Cursor:
        """Return the place of a record."""
        return Cursor(str(record.get("ts", "")), str(record.get("request_id") or ""))

    @staticmethod
    def parse(text: str) -> Cursor:
        """Read what `str` writes."""
        moment, _, request_id = text.partition("_")
        return Cursor(moment, request_id)

    @staticmethod
    def at(seconds: float) -> Cursor:
        """Return the place before every record of this moment (epoch seconds) and those after it."""
        return Cursor(_written(datetime.fromtimestamp(seconds, UTC)))

    def __str__(self) -> str:
        """Write it as a query parameter holds it."""
        return f"{self.moment}_{self.request_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which records are wanted; None takes any. `tpp` is an authorisation number, `text` part of method and path.

    `certificate` is the SHA-256 (hex) of one that came in TLS, or sealed the request. `since` and `before` are exclusive.
    """

    tpp: str | None = None
    outcome: str | None = None
    reason: str | None = None
    request_id: str | None = None
    text: str | None = None
    certificate: str | None = None
    since: Cursor | None = None
    before: Cursor | None = None

    def admits(self, record: Record) -> bool:
        """Whether `record` is wanted."""
        if any(record.get(name) != value for name, value in self._exact()):
            return False
        if self.text is not None and self.text.casefold() not in _called(record):
            return False
        if self.certificate is not None and self.certificate not in _certificates(record):
            return False
        place = Cursor.of(record)
        return (self.since is None or place > self.since) and (self.before is None or place < self.before)

    def needles(self) -> list[bytes]:
        """Return what stands in the line of every wanted record.

        Nobody can write one into a record: within a JSON string a quote is always behind a backslash.
        """
        exact = self._exact() + ([("sha256", self.certificate)] if self.certificate is not None else [])
        return [b'"%b":%b' % (name.encode("ascii"), orjson.dumps(value)) for name, value in exact]

    def _exact(self) -> list[tuple[str, str]]:
        wanted = {"request_id": self.request_id, "tpp": self.tpp, "reason": self.reason, "outcome": self.outcome}
        return [(name, value) for name, value in wanted.items() if value is not None]


@dataclass(slots=True)
class Look:
    """One look at the log. One whose budget ran out is not complete; it has `reached` a moment, and may go on before it."""

    folder: Path
    wanted: AuditFilter = field(default_factory=AuditFilter)
    budget: Budget = field(default_factory=lambda: Budget(bytes_left=_MOST_BYTES_READ, seconds=_MOST_SECONDS))
    reached: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the look did not have to end early."""
        return not self.budget.ran_out

    @property
    def resumes_at(self) -> str | None:
        """Where the next look goes on after one that ran out, as a cursor; None where there is nothing to go on with."""
        return str(Cursor(self.reached)) if self.budget.ran_out and not self.reached.startswith(NEWEST) else None

    def newest(self, limit: int) -> list[Record]:
        """Return at most `limit` records (and at most `MOST_RECORDS`), newest first; an unreadable line is passed over."""
        return list(itertools.islice(self.records(), min(limit, MOST_RECORDS)))

    def records(self) -> Iterator[Record]:
        """Yield the wanted records, newest first."""
        before = self.wanted.before
        # One moment later: of the cursor's own microsecond some may be wanted.
        trails = _trails(self.folder, before=f"{before.moment}~" if before else None, needles=self.wanted.needles())
        try:
            yield from self._merged(trails)
        finally:
            for trail in trails:
                trail.close_file()

    def _merged(self, trails: list[Trail]) -> Iterator[Record]:
        """Read on where least has been read, always: what is newer than the newest unread moment is in its final order."""
        found: list[Record] = []
        oldest = self.wanted.since.moment if self.wanted.since else ""
        while unread := [trail for trail in trails if not trail.is_finished and trail.reached >= oldest]:
            trail = max(unread, key=lambda each: each.reached)
            if self.budget.is_spent():
                self.reached = trail.reached
                return
            found += filter(self.wanted.admits, _readable(trail.read_block(self.budget)))
            found.sort(key=Cursor.of)
            frontier = max((each.reached for each in trails if not each.is_finished), default="")
            while found and str(found[-1].get("ts", "")) > frontier:
                yield found.pop()
        yield from reversed(found)


def record_of(folder: Path, request_id: str) -> tuple[Record | None, bool]:
    """Return the record of a request, and whether everything was looked at where it could be."""
    began_at = _made_at(request_id)
    if began_at is None:
        return None, True
    is_complete = True
    for duration in _MOST_DURATIONS:
        until, since = began_at + duration, began_at - timedelta(seconds=2)
        wanted = AuditFilter(request_id=request_id, since=Cursor(_written(since)), before=Cursor(_written(until)))
        look = Look(folder, wanted)
        found = look.newest(1)
        if found:
            return found[0], True
        is_complete = look.is_complete
    return None, is_complete


def _certificates(record: Record) -> list[object]:
    seal = (record.get("signature") or {}).get("certificate")
    return [each.get("sha256") for each in (record.get("certificate"), seal) if each]


def _called(record: Record) -> str:
    return f"{record.get('method', '')} {record.get('path', '')}".casefold()


def _made_at(request_id: str) -> datetime | None:
    """Return when an id was made (RFC 9562 §5.7); None for one that the gateway has never made."""
    if not _REQUEST_ID.fullmatch(request_id):
        return None
    milliseconds = int(request_id.replace("-", "")[:_UUID_TIME_DIGITS], 16)
    if milliseconds > _LATEST_MILLISECONDS:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _trails(folder: Path, *, before: str | None, needles: list[bytes]) -> list[Trail]:
    """Return one trail for each worker."""
    workers: dict[str, list[Path]] = defaultdict(list)
    for path in folder.glob("audit-*.jsonl"):
        workers[path.name.partition(".")[0]].append(path)
    return [
        Trail(sorted(files, key=lambda path: -_put_aside_at(path)), before=before, needles=needles)
        for files in workers.values()
    ]


def _put_aside_at(path: Path) -> float:
    """Return the nanosecond at which a file was put aside (`audit-1.<nanoseconds>.jsonl`); the live one is the last."""
    _, *middle, _ = path.name.split(".")
    return int(middle[0]) if middle and middle[0].isdecimal() else math.inf


def _readable(lines: list[bytes]) -> Iterator[Record]:
    for line in lines:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict):
            yield record
