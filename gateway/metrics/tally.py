"""What one worker has counted: plain numbers, added to on the way of each request, so that they cost it next to nothing.

Every table is bounded: what comes after the last place counts as `other`.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.admission.request import Connection
    from gateway.audit.exchange import Exchange
    from gateway.edge.tls.handshake import FailedHandshake

OTHER: Final = "other"
# Upper bounds in seconds; the last bucket has none.
BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
STAGES: Final = ("admission", "upstream", "total")
_MOST_SERIES: Final = 5_000
_MOST_REASONS: Final = 500
_MOST_CERTIFICATES: Final = 10_000

Label = tuple[str, ...]


class Latency:
    """Seconds, counted by bucket."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        """Count nothing yet."""
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


class Tally:
    """One worker's counts since its place was first taken: what takes the place of a dead worker goes on from its numbers."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.requests: dict[Label, int] = {}
        self.refusals: dict[Label, int] = {}
        self.denials: dict[Label, int] = {}
        self.handshakes: dict[Label, int] = {}
        self.failed_handshakes: dict[Label, int] = {}
        self.latencies = {stage: Latency() for stage in STAGES}
        self.audit_bytes = 0
        self.audit_records = 0
        self.expiries: dict[str, float] = {}

    def note_exchange(self, exchange: Exchange, *, ended_at: float, record_bytes: int) -> None:
        """Count a request that has ended, and its record."""
        admission, began_at = exchange.admission, exchange.began_at
        route, listener = admission.route, exchange.request.connection.listener
        _add(self.requests, (listener, route.deployment if route is not None else "", exchange.outcome), _MOST_SERIES)
        self.latencies["total"].note(ended_at - began_at)
        if exchange.admitted_at is not None:
            self.latencies["admission"].note(exchange.admitted_at - began_at)
            if exchange.replied_at is not None:
                self.latencies["upstream"].note(exchange.replied_at - exchange.admitted_at)
        if exchange.reason is not None:
            self._note_reason(exchange, exchange.reason)
        certificate = admission.certificate
        if certificate is not None and certificate.sha256 not in self.expiries:
            self._note_expiry(certificate.sha256, certificate.not_after.timestamp())
        self.note_record(record_bytes)

    def note_record(self, size: int) -> None:
        """Count an audit record."""
        self.audit_records += 1
        self.audit_bytes += size

    def note_unread(self, connection: Connection, reason: str) -> None:
        """Count bytes that were no request."""
        _add(self.requests, (connection.listener, "", "refused"), _MOST_SERIES)
        _add(self.refusals, (reason,), _MOST_REASONS)

    def note_connection(self, connection: Connection) -> None:
        """Count a connection whose handshake went well."""
        tls = connection.tls
        if tls is not None:
            _add(self.handshakes, (connection.listener, tls.version, "yes" if tls.resumed else "no"), _MOST_SERIES)

    def note_failure(self, failure: FailedHandshake) -> None:
        """Count a handshake that failed."""
        _add(self.failed_handshakes, (failure.listener, failure.reason), _MOST_REASONS)

    def soonest_expiry(self, now: float) -> float | None:
        """Return when the first certificate expires that TPPs have come with, of those that have not (epoch seconds)."""
        self.expiries = {name: moment for name, moment in self.expiries.items() if moment > now}
        return min(self.expiries.values(), default=None)

    def _note_reason(self, exchange: Exchange, reason: str) -> None:
        _add(self.refusals, (reason,), _MOST_REASONS)
        if exchange.limit is not None and reason.startswith("limit."):
            _add(self.denials, (reason, str(exchange.limit["key"])), _MOST_REASONS)

    def _note_expiry(self, name: str, moment: float) -> None:
        if len(self.expiries) < _MOST_CERTIFICATES:
            self.expiries[name] = moment


def _add(table: dict[Label, int], label: Label, most: int) -> None:
    if label in table:
        table[label] += 1
        return
    if len(table) >= most:
        label = (OTHER,) * len(label)
    table[label] = table.get(label, 0) + 1


def as_document(tally: Tally) -> dict[str, object]:
    """Return the counts as JSON holds them."""
    tables = {name: [[*label, count] for label, count in table.items()] for name, table in _tables(tally).items()}
    latencies = {stage: {"counts": latency.counts, "seconds": latency.seconds} for stage, latency in tally.latencies.items()}
    numbers = {"audit_bytes": tally.audit_bytes, "audit_records": tally.audit_records}
    return {**tables, "latencies": latencies, **numbers}


def tally_of(document: Mapping[str, object]) -> Tally:
    """Read what `as_document` returns; raises `ValueError`, `KeyError`, `TypeError` for anything else."""
    tally = Tally()
    for name, table in _tables(tally).items():
        rows = document[name]
        if not isinstance(rows, list):
            raise TypeError(name)
        table.update({tuple(map(str, row[:-1])): int(row[-1]) for row in rows})
    latencies = document["latencies"]
    if not isinstance(latencies, dict):
        raise TypeError("latencies")
    for stage, latency in tally.latencies.items():
        counts = [int(count) for count in latencies[stage]["counts"]]
        if len(counts) != len(BUCKETS) + 1:
            raise ValueError(stage)
        latency.counts, latency.seconds = counts, float(latencies[stage]["seconds"])
    tally.audit_bytes, tally.audit_records = int(str(document["audit_bytes"])), int(str(document["audit_records"]))
    return tally


def _tables(tally: Tally) -> dict[str, dict[Label, int]]:
    return {
        "requests": tally.requests,
        "refusals": tally.refusals,
        "denials": tally.denials,
        "handshakes": tally.handshakes,
        "failed_handshakes": tally.failed_handshakes,
    }
