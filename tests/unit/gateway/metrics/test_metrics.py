"""Metrics: what is counted, that nothing counted goes back, and that no label can grow without bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from chassis.home import Home
from gateway.audit.log import AuditLog
from gateway.config import load_settings
from gateway.edge.tls.handshake import FailedHandshake
from gateway.metrics.expiry import Expiry, platform_expiries, trusted_expiries
from gateway.metrics.exposition import exposition
from gateway.metrics.publishing import FRESH_SECONDS, Publisher, published
from gateway.metrics.tally import BUCKETS, OTHER, Tally
from gateway.policies.model import Listener
from tests.support.metrics import Samples, samples_at
from tests.support.pki import DAY, Authority
from tests.unit.gateway.audit.test_records import exchange

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1.8e9
GAUGES: dict[str, Any] = {
    "upstreams": {"bank": {"open": 3, "idle": 2, "waiting": 1}},
    "feed_lag_seconds": 0.25,
    "soonest_expiry": NOW + 86_400,
}


def publisher(folder: Path) -> Publisher:
    return Publisher(folder, AuditLog(folder / "log", rotate_bytes=1_000_000))


def samples(folder: Path, *, expiries: tuple[Expiry, ...] = (), at: float = NOW) -> Samples:
    return samples_at(folder, at=at, expiries=expiries)


def busy_tally(tally: Tally) -> None:
    tally.note_exchange(exchange(), ended_at=1.02, record_bytes=100)
    refused = replace(exchange(), outcome="refused", reason="limit.rate", limit={"key": "address"}, replied_at=None)
    tally.note_exchange(refused, ended_at=1.5, record_bytes=50)
    tally.note_connection(exchange().request.connection)
    tally.note_failure(FailedHandshake(listener=Listener.EDGE, address="", reason="tls.no_shared_cipher", detail=""))


def test_what_workers_have_counted_is_added_up(tmp_path: Path) -> None:
    """Requests, refusals, latency, handshakes, limits, audit, pools: of two workers."""
    for _ in range(2):
        one = publisher(tmp_path)
        busy_tally(one.tally)
        one.publish(GAUGES, now=NOW)

    found = samples(tmp_path)
    assert found.get("gateway_requests_total", listener="edge", deployment="xs2a-accounts", outcome="admitted") == 2
    assert found.get("gateway_requests_total", listener="edge", deployment="xs2a-accounts", outcome="refused") == 2
    assert found.get("gateway_refusals_total", reason="limit.rate") == 2
    assert found.get("gateway_limit_denials_total", reason="limit.rate", key="address") == 2
    assert found.get("gateway_handshakes_total", listener="edge", version="TLSv1.3", resumed="yes") == 2
    assert found.get("gateway_failed_handshakes_total", listener="edge", reason="tls.no_shared_cipher") == 2
    assert found.get("gateway_audit_bytes_total") == 300
    assert found.get("gateway_workers") == 2
    assert found.get("gateway_upstream_connections", upstream="bank", state="open") == 6
    assert found.get("gateway_upstream_waiting", upstream="bank") == 2
    assert found.get("gateway_feed_lag_seconds") == 0.25
    assert found.get("gateway_tpp_certificate_expiry_days") == 1


def test_targets_count_by_upstream_as_the_worker_says_for_which_they_do_worst(tmp_path: Path) -> None:
    """No label holds an address: an upstream's name and three conditions."""
    for first, third in (("left_alone", "serving"), ("serving", "failing")):
        targets = {"bank": {"b1:8445": "serving"}, "pay": {"p1:443": first, "p2:443": "serving", "p3:443": third}}
        publisher(tmp_path).publish(GAUGES | {"targets": targets}, now=NOW)

    found = samples(tmp_path)
    counts = {
        (upstream, condition): found.get("gateway_upstream_targets", upstream=upstream, condition=condition)
        for upstream in ("bank", "pay")
        for condition in ("serving", "failing", "left_alone")
    }
    assert [*counts.values()] == [1, 0, 0, 1, 1, 1]
    assert b"p1:443" not in exposition(list(published(tmp_path, now=NOW)), (), datetime.now(UTC), {})


def test_latency_is_counted_by_stage_in_cumulative_buckets(tmp_path: Path) -> None:
    """2 ms of admission, 8 ms of the bank, 20 ms altogether; a refusal took half a second."""
    one = publisher(tmp_path)
    busy_tally(one.tally)
    one.publish({}, now=NOW)

    found = samples(tmp_path)
    assert found.get("gateway_request_seconds_bucket", stage="total", le="0.025") == 1
    assert found.get("gateway_request_seconds_bucket", stage="total", le="0.5") == 2
    assert (
        found.get("gateway_request_seconds_bucket", stage="total", le="+Inf")
        == found.get("gateway_request_seconds_count", stage="total")
        == 2
    )
    assert found.get("gateway_request_seconds_count", stage="upstream") == 1
    assert found.get("gateway_request_seconds_sum", stage="total") == pytest.approx(0.52)
    assert sum(name == "gateway_request_seconds_bucket" for name, _ in found.values) == 3 * (len(BUCKETS) + 1)


def test_whoever_takes_a_dead_workers_place_goes_on_from_its_numbers(tmp_path: Path) -> None:
    """A counter that goes back would look to Prometheus like a restart, and lose what came before."""
    log = AuditLog(tmp_path / "log", rotate_bytes=1_000_000)
    first = Publisher(tmp_path, log)
    busy_tally(first.tally)
    first.publish(GAUGES, now=NOW)
    log.close()

    second = publisher(tmp_path)
    assert second.path == first.path
    busy_tally(second.tally)
    second.publish(GAUGES, now=NOW)
    assert samples(tmp_path).get("gateway_requests_total", listener="edge", deployment="xs2a-accounts", outcome="admitted") == 2


def test_what_a_dead_worker_had_is_not_there_any_more(tmp_path: Path) -> None:
    """Its counts stay, its connections do not."""
    one = publisher(tmp_path)
    busy_tally(one.tally)
    one.publish(GAUGES, now=NOW)

    found = samples(tmp_path, at=NOW + FRESH_SECONDS + 1)
    assert found.get("gateway_requests_total", listener="edge", deployment="xs2a-accounts", outcome="admitted") == 1
    assert found.get("gateway_workers") == 0
    assert found.get("gateway_upstream_waiting", upstream="bank") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"at": "x", "tally": {}}'])
def test_a_file_that_cannot_be_read_stops_nobody(tmp_path: Path, content: bytes) -> None:
    """Neither the worker, which begins anew, nor whoever asks for the others' numbers."""
    (tmp_path / "metrics-1.json").write_bytes(content)
    assert samples(tmp_path).get("gateway_workers") == 0
    assert publisher(tmp_path).tally.requests == {}


def test_labels_that_clients_could_invent_are_bounded() -> None:
    """OpenSSL's reasons are many: what comes after the last place counts as `other`."""
    tally = Tally()
    for number in range(600):
        tally.note_failure(FailedHandshake(listener=Listener.EDGE, address="", reason=f"tls.{number}", detail=""))
    assert len(tally.failed_handshakes) == 501
    assert tally.failed_handshakes[OTHER, OTHER] == 100


def test_the_file_is_private_and_holds_no_address_token_or_name(tmp_path: Path) -> None:
    """It lies beside the process ids; who has called is the audit log's."""
    one = publisher(tmp_path)
    busy_tally(one.tally)
    one.publish(GAUGES, now=NOW)
    written = one.path.read_bytes()
    assert one.path.stat().st_mode & 0o077 == 0
    for secret in (b"192.0.2.1", b"PSDDE", b"secret", b"client-1"):
        assert secret not in written
    assert orjson.loads(written)["at"] == NOW


def test_days_to_expiry_are_told_by_certificate(tmp_path: Path) -> None:
    """Of the platform's own files, the trusted authorities; one that has expired counts below zero."""
    home = Home(tmp_path)
    authority = Authority("Issuing", not_after=datetime.now(UTC) + 10 * DAY)
    folder = home.certs / "servers"
    authority.qwac().write(folder, "edge")
    (folder / "broken.crt").write_text("no certificate")
    found = {(expiry.kind, expiry.name) for expiry in platform_expiries(home)}
    (trusted,) = trusted_expiries([authority.certificate, Authority("Issuing").certificate])
    assert found == {("server", "edge")}
    assert (trusted.kind, trusted.name) == ("trusted", "Issuing")
    assert 9.9 < trusted.days_left(datetime.now(UTC)) < 10
    assert trusted.days_left(trusted.not_after + timedelta(days=2)) == -2
    assert samples(tmp_path, expiries=(trusted,)).get("gateway_certificate_expiry_days", kind="trusted", name="Issuing")


def test_counts_are_kept_with_the_audit_where_that_is_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In containers edge and control API share that folder and no other."""
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
    assert load_settings().metrics_path == Home(tmp_path).run
    monkeypatch.setenv("GATEWAY_AUDIT_FOLDER", str(tmp_path / "audit"))
    assert load_settings().metrics_path == tmp_path / "audit"
