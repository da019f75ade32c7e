"""Reads the newest audit records, in the order of their times, never more than a budget allows.

Those that have been shipped come from the database, the others from the files of all workers, each once.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import orjson

from chassis.logs import get_logger
from chassis.sql.database import first_line, is_unavailability
from gateway.audit.audit_files import opened_files, worker_of
from gateway.audit.row import Record, parsed
from gateway.audit.trail import NEWEST, Budget, Stretch, Trail

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

MOST_RECORDS: Final = 1_000
_MOST_BYTES_READ: Final = 512 * 1024 * 1024
_MOST_SECONDS: Final = 0.5
# A request is recorded when it ends: as long after its id was made as it took, mostly a moment.
_MOST_DURATIONS: Final = (timedelta(seconds=2), timedelta(minutes=10))
_UUID_TIME_DIGITS: Final = 12
_REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LATEST_MILLISECONDS: Final = 200_000_000_000_000  # the year 8307: beyond it no date can be reckoned with


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


class Page(NamedTuple):
    """Lines of shipped records, newest first, and the place that they reach back to; None where no more are to come."""

    lines: list[bytes]
    reached: Cursor | None


class OpenedRecords(Protocol):
    """One state of what has been shipped."""

    @property
    def places(self) -> Mapping[str, int]:
        """How far each file has been shipped."""

    def streams(self, wanted: AuditFilter) -> Sequence[Iterator[Page]]:
        """Return records among which those wanted are, newest first; no record is in two of the streams."""


class ShippedRecords(Protocol):
    """Where records are shipped to."""

    def opened(self) -> AbstractContextManager[OpenedRecords]:
        """Open what has been shipped by now."""


@dataclass(slots=True)
class Look:
    """One look at the log. One whose budget ran out is not complete; it has `reached` a moment, and may go on before it."""

    folder: Path
    wanted: AuditFilter = field(default_factory=AuditFilter)
    budget: Budget = field(default_factory=lambda: Budget(bytes_left=_MOST_BYTES_READ, seconds=_MOST_SECONDS))
    shipped: ShippedRecords | None = None
    reached: Cursor = field(default_factory=lambda: Cursor(""))
    lacks_shipped: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether all was looked at: the look did not have to end early, and the database could be asked."""
        return not (self.budget.ran_out or self.lacks_shipped)

    @property
    def resumes_at(self) -> str | None:
        """Where the next look goes on after one that ran out, as a cursor; None where there is nothing to go on with."""
        return str(self.reached) if self.budget.ran_out and self.reached.moment != NEWEST else None

    def newest(self, limit: int) -> list[Record]:
        """Return at most `limit` records (and at most `MOST_RECORDS`), newest first; an unreadable line is passed over."""
        return list(itertools.islice(self.records(), min(limit, MOST_RECORDS)))

    def records(self) -> Iterator[Record]:
        """Yield the wanted records, newest first."""
        with ExitStack() as stack:
            # In this order: what is shipped while the files are opened is read from them.
            shipped = self._opened(stack)
            streams = [self._paged(pages) for pages in shipped.streams(self.wanted)] if shipped else []
            trails = self._trails(stack, shipped.places if shipped else {})
            yield from self._together([self._merged(trails), *streams])

    def _opened(self, stack: ExitStack) -> OpenedRecords | None:
        """Open what has been shipped; where the database can't be asked, the files alone tell, and it is not all."""
        try:
            return stack.enter_context(self.shipped.opened()) if self.shipped else None
        except Exception as error:
            if not is_unavailability(error):
                raise
            get_logger().warning("audit.database_unavailable", error=first_line(error))
            self.lacks_shipped = True
            return None

    def _trails(self, stack: ExitStack, places: Mapping[str, int]) -> list[Trail]:
        """Return one trail for each worker, of what has not been shipped."""
        workers: dict[str, list[Stretch]] = defaultdict(list)
        for file in reversed(opened_files(self.folder, stack, places)):
            floor = places.get(file.identity, 0)
            if file.size > floor:
                workers[worker_of(file.path)].append(Stretch(file.file, floor))
        before, needles = self.wanted.before, self.wanted.needles()
        # One moment later: of the cursor's own microsecond some may be wanted.
        until = f"{before.moment}~" if before else None
        return [Trail(stretches, before=until, needles=needles) for stretches in workers.values()]

    def _reached(self, trail: Trail) -> Cursor:
        # Of this moment others may be unread, and those that were read are not told yet.
        place = Cursor(trail.reached.removesuffix(NEWEST) or NEWEST, NEWEST)
        return min(place, self.wanted.before or place)

    def _together(self, streams: Sequence[Iterator[Record]]) -> Iterator[Record]:
        """Merge streams, newest first, up to where the first of them had to end early."""
        last = None
        for record in heapq.merge(*streams, key=Cursor.of, reverse=True):
            place = Cursor.of(record)
            if place < self.reached:
                return  # it might overtake one that was not read
            if place != last or not place.request_id:
                yield record
            last = place

    def _paged(self, pages: Iterator[Page]) -> Iterator[Record]:
        for page in pages:
            yield from filter(self.wanted.admits, _readable(page.lines))
            if page.reached is not None and self.budget.is_spent():
                self.reached = max(self.reached, page.reached)
                return

    def _merged(self, trails: list[Trail]) -> Iterator[Record]:
        """Read on where least has been read, always: what is newer than the newest unread moment is in its final order."""
        found: list[Record] = []
        oldest = self.wanted.since.moment if self.wanted.since else ""
        while unread := [trail for trail in trails if not trail.is_finished and trail.reached >= oldest]:
            trail = max(unread, key=lambda each: each.reached)
            if self.budget.is_spent():
                self.reached = max(self.reached, self._reached(trail))
                return
            found += filter(self.wanted.admits, _readable(trail.read_block(self.budget)))
            found.sort(key=Cursor.of)
            frontier = max((each.reached for each in trails if not each.is_finished), default="")
            while found and str(found[-1].get("ts", "")) > frontier:
                yield found.pop()
        yield from reversed(found)


def record_of(folder: Path, request_id: str, shipped: ShippedRecords | None = None) -> tuple[Record | None, bool]:
    """Return the record of a request, and whether everything was looked at where it could be."""
    began_at = _made_at(request_id)
    if began_at is None:
        return None, True
    is_complete = True
    for duration in _MOST_DURATIONS:
        until, since = began_at + duration, began_at - timedelta(seconds=2)
        wanted = AuditFilter(request_id=request_id, since=Cursor(_written(since)), before=Cursor(_written(until)))
        look = Look(folder, wanted, shipped=shipped)
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


def _readable(lines: list[bytes]) -> Iterator[Record]:
    return (record for line in lines if (record := parsed(line)) is not None)
