"""The metrics as Prometheus reads them: the numbers of all workers added up, and days to expiry."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from gateway.metrics.tally import BUCKETS, STAGES
from gateway.upstreams.health import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from prometheus_client.metrics_core import Metric

    from gateway.metrics.expiry import Expiry
    from gateway.metrics.publishing import Published
    from gateway.metrics.tally import Label

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_CONDITIONS: Final = list(Condition)
_COUNTERS: Final = {
    "requests": ("gateway_requests", "Requests that have ended", ["listener", "deployment", "outcome"]),
    "refusals": ("gateway_refusals", "Requests that ended on a ground, ours or one that a service told", ["reason"]),
    "denials": ("gateway_limit_denials", "Requests refused by a limit, by what it counts by", ["reason", "key"]),
    "handshakes": ("gateway_handshakes", "TLS handshakes that went well", ["listener", "version", "resumed"]),
    "failed_handshakes": ("gateway_failed_handshakes", "TLS handshakes that failed", ["listener", "reason"]),
}


class GatewayCollector(Collector):
    """What workers have published, at one moment."""

    def __init__(
        self,
        workers: Sequence[Published],
        expiries: Iterable[Expiry],
        now: datetime,
        order_failures: Mapping[str, int],
        unshipped_bytes: int = 0,
    ) -> None:
        """Hold it; `unshipped_bytes` of audit records are still to come into the database."""
        self._unshipped_bytes = unshipped_bytes
        self._order_failures = order_failures
        self._workers = workers
        self._expiries = expiries
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield from self._counters()
        yield self._latency()
        yield from self._gauges()
        yield from self._certificates()

    def _counters(self) -> Iterator[Metric]:
        for table, (name, help_text, labels) in _COUNTERS.items():
            family = CounterMetricFamily(name, help_text, labels=labels)
            for label, count in sorted(self._added(table).items()):
                family.add_metric(label, count)
            yield family
        for name, help_text, member in (
            ("gateway_audit_bytes", "Bytes of audit records", "audit_bytes"),
            ("gateway_audit_records", "Audit records", "audit_records"),
        ):
            yield CounterMetricFamily(name, help_text, value=sum(getattr(each.tally, member) for each in self._workers))

    def _added(self, table: str) -> Mapping[Label, int]:
        total: Counter[Label] = Counter()
        for worker in self._workers:
            total.update(getattr(worker.tally, table))
        return total

    def _latency(self) -> Metric:
        family = HistogramMetricFamily("gateway_request_seconds", "Seconds that requests took, by stage", labels=["stage"])
        for stage in STAGES:
            latencies = [worker.tally.latencies[stage] for worker in self._workers]
            counts = [sum(column) for column in zip(*(each.counts for each in latencies), strict=True)] or [0]
            family.add_metric([stage], _cumulative(counts), sum_value=sum(each.seconds for each in latencies))
        return family

    def _gauges(self) -> Iterator[Metric]:
        living = [worker.gauges for worker in self._workers if worker.gauges]
        yield GaugeMetricFamily("gateway_workers", "Workers of the edge that live", value=len(living))
        lag = max((float(gauges["feed_lag_seconds"]) for gauges in living), default=float("nan"))
        yield GaugeMetricFamily("gateway_feed_lag_seconds", "Age of the oldest worker's knowledge of changes", value=lag)
        text = "Bytes of audit records that are still to be shipped to the database"
        yield GaugeMetricFamily("gateway_audit_unshipped_bytes", text, value=self._unshipped_bytes)
        pool = GaugeMetricFamily(
            "gateway_upstream_connections", "Connections to internal servers, open and idle", labels=["upstream", "state"]
        )
        waiting = GaugeMetricFamily("gateway_upstream_waiting", "Requests that wait for a connection", labels=["upstream"])
        for upstream, counts in sorted(_pools(living).items()):
            pool.add_metric([upstream, "open"], counts["open"])
            pool.add_metric([upstream, "idle"], counts["idle"])
            waiting.add_metric([upstream], counts["waiting"])
        yield pool
        yield waiting
        yield _targets(living)

    def _certificates(self) -> Iterator[Metric]:
        days = GaugeMetricFamily("gateway_certificate_expiry_days", "Days until a certificate expires", labels=["kind", "name"])
        for expiry in self._expiries:
            days.add_metric([expiry.kind, expiry.name], expiry.days_left(self._now))
        yield days
        failures = GaugeMetricFamily(
            "gateway_certificate_order_failures", "Orders of a certificate by ACME that failed, in a row", labels=["name"]
        )
        for name, count in sorted(self._order_failures.items()):
            failures.add_metric([name], count)
        yield failures
        moments = [worker.gauges.get("soonest_expiry") for worker in self._workers]
        soonest = min((moment for moment in moments if moment is not None), default=None)
        if soonest is not None:
            left = (soonest - self._now.timestamp()) / 86_400
            text = "Days until the first certificate expires that TPPs come with"
            yield GaugeMetricFamily("gateway_tpp_certificate_expiry_days", text, value=left)


def exposition(
    workers: Sequence[Published],
    expiries: Iterable[Expiry],
    now: datetime,
    order_failures: Mapping[str, int],
    unshipped_bytes: int = 0,
) -> bytes:
    """Return the page that Prometheus scrapes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(GatewayCollector(workers, expiries, now, order_failures, unshipped_bytes))
    return generate_latest(registry)


def _cumulative(counts: Sequence[int]) -> list[tuple[str, float]]:
    bounds, total = [*map(str, BUCKETS), "+Inf"], 0
    buckets = []
    for bound, count in zip(bounds, counts if len(counts) == len(bounds) else [0] * len(bounds), strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets


def _targets(living: Iterable[Mapping[str, Any]]) -> Metric:
    """Return how many targets of each upstream do how: as the worker says for which a target does worst."""
    family = GaugeMetricFamily(
        "gateway_upstream_targets", "Targets of an upstream by how they do", labels=["upstream", "condition"]
    )
    worst: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for gauges in living:
        for upstream, targets in gauges.get("targets", {}).items():
            for target, condition in targets.items():
                worst[upstream][target] = max(_CONDITIONS.index(condition), worst[upstream].get(target, 0))
    for upstream, targets in sorted(worst.items()):
        for place, condition in enumerate(_CONDITIONS):
            family.add_metric([upstream, condition], sum(each == place for each in targets.values()))
    return family


def _pools(living: Iterable[Mapping[str, Any]]) -> Mapping[str, Counter[str]]:
    pools: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for gauges in living:
        for upstream, counts in gauges["upstreams"].items():
            pools[upstream].update(counts)
    return pools
