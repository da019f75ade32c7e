"""`GET /metrics` of the control API: what Prometheus scrapes, and who may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chassis.home import Home
from chassis.serving.callers import AcceptedCallers
from gateway.audit.log import AuditLog
from gateway.metrics.publishing import Publisher
from tests.support.admin import admin_client
from tests.support.metrics import Samples
from tests.support.pki import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def test_the_page_is_prometheus_text_with_days_to_expiry(engine: Engine, tmp_path: Path) -> None:
    """Also where no worker has ever run."""
    home = Home(tmp_path)
    Authority().qwac().write(home.certs / "servers", "edge")
    answer = admin_client(engine, tmp_path, home=home).get("/metrics")
    found = Samples(answer.get_data(as_text=True))
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    assert (found.get("gateway_workers"), found.get("gateway_audit_unshipped_bytes")) == (0, 17)
    days = found.get("gateway_certificate_expiry_days", kind="server", name="edge")
    assert days is not None
    assert 29 < days <= 30


def test_what_is_counted_is_read_where_the_edge_writes_it(engine: Engine, tmp_path: Path) -> None:
    """In containers that is the audit's folder, not the home's."""
    folder = tmp_path / "counts"
    publisher = Publisher(folder, AuditLog(tmp_path / "log", rotate_bytes=1_000))
    publisher.tally.note_record(7)
    publisher.publish({}, now=0)
    answer = admin_client(engine, tmp_path, home=Home(tmp_path / "home"), metrics_folder=folder).get("/metrics")
    assert Samples(answer.get_data(as_text=True)).get("gateway_audit_bytes_total") == 7


@pytest.mark.parametrize(
    ("method", "path", "is_let_in"),
    [("GET", "/metrics", True), ("GET", "/health", True), ("POST", "/metrics", False), ("GET", "/requests", False)],
)
def test_a_monitor_may_ask_for_metrics_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, *, is_let_in: bool
) -> None:
    """The certificate of a monitor lies wherever that runs: it must open neither the request log nor a change."""
    monkeypatch.setattr("chassis.serving.callers._certificate_names", lambda _environ: ["health"])
    seen: list[str] = []

    def application(_environ: Any, _start: Any) -> list[bytes]:
        seen.append("called")
        return []

    guard = AcceptedCallers(application, names=frozenset({"operator"}))
    guard({"REQUEST_METHOD": method, "PATH_INFO": path}, lambda *_args: lambda _data: None)
    assert bool(seen) is is_let_in
