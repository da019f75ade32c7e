"""Expiry: what is watched, when it is told, and that it is told once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chassis.home import Home
from gateway.certificates.expiry import Watched, expiring, watched_certificates
from gateway.certificates.expiry_watch import ExpiryWatch
from gateway.configuration.model import Document
from gateway.configuration.snapshot import Snapshot, parsed_document
from gateway.kinds import KINDS
from gateway.metrics.expiry import documented_expiries
from gateway.tables.configuration import admin_audit
from psd2.clock import FixedClock
from tests.support.admin import admin_client
from tests.support.pki import DAY, Authority
from tests.support.stored_certificates import ISSUING, NOW, ROOT, version

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def ending(days: float, *, life: float = 365, place: str = "certificates/shop", renews_itself: bool = False) -> Watched:
    """Make a certificate that ends in so many days."""
    end = NOW + days * DAY
    issued = ISSUING.qwac(not_before=end - life * DAY, not_after=end)
    return Watched(place=place, certificate=issued.certificate, renews_itself=renews_itself)


@pytest.mark.parametrize(
    ("days", "step"), [(31, None), (29.9, 30), (14.5, 30), (13.9, 14), (6.9, 7), (1.1, 7), (0.9, 1), (-0.1, 0), (-400, 0)]
)
def test_each_certificate_comes_to_its_steps(days: float, step: int | None) -> None:
    assert ending(days).step(NOW) == step


def test_what_lives_shortly_or_renews_itself_is_not_told_of_too_soon() -> None:
    """A renewal in time is no news; one that fails is."""
    assert ending(29, life=30).step(NOW) is None
    assert ending(6, life=30).step(NOW) == 7
    assert ending(29, life=90, renews_itself=True).step(NOW) is None
    assert ending(13, life=90, renews_itself=True).step(NOW) == 14


def test_each_step_is_told_once_whoever_looks(engine: Engine) -> None:
    """Over restarts too; in the administrators' audit."""
    clock, watched = FixedClock(NOW), ending(20)

    def watch() -> ExpiryWatch:
        return ExpiryWatch(engine=engine, watched=lambda: [watched], clock=clock)

    told = []
    for days in (0, 1, 7, 8, 14, 21):
        clock = FixedClock(NOW + days * DAY)
        told.append(watch().tell_due())
        assert watch().tell_due() == 0
    assert told == [1, 0, 1, 0, 1, 1]
    records = [(each["action"], each["object_kind"], each["object_name"]) for each in listed(engine)]
    assert records == [("expiring", "certificates", "shop")] * 3 + [("expired", "certificates", "shop")]


def listed(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(admin_audit.select().order_by(admin_audit.c.number)).mappings()]


def test_all_that_is_presented_or_trusted_is_watched(tmp_path: Path) -> None:
    """Files of the home, versions in use with their CAs, trust stores, and authorities of upstreams."""
    home, shop, old = Home(tmp_path), ISSUING.server("shop.example"), ISSUING.server("shop.example")
    files = {"servers": ISSUING.server("localhost"), "internal": ISSUING.server("a"), "upstreams": ISSUING.server("b")}
    for folder, issued in files.items():
        issued.write(home.certs / folder, "edge")
    (home.certs / "servers" / "broken.crt").write_text("not PEM")
    partner, foreign = Authority("Partner"), Authority("Foreign")
    tls = {"authorities": [foreign.pem]}
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("certificates", "shop"): {"versions": [version(shop), version(old, stage="previous")]},
        ("trust-stores", "partners"): {"bundles": {"all": {"anchors": [partner.pem], "intermediates": []}}},
        ("upstreams", "far"): {"targets": [{"host": "far.example"}], "tls": tls},
    }
    snapshot = Snapshot(parsed_document(KINDS, Document(*place, body)) for place, body in bodies.items())
    stores = {"tpp": [ROOT.certificate], "partners": [partner.certificate]}

    found = {(each.place, each.sha256, each.renews_itself) for each in watched_certificates(home, snapshot, stores.__getitem__)}

    issuing = Watched(place="", certificate=ISSUING.certificate).sha256
    assert found >= {("certs/servers/edge.crt", files["servers"].sha256, True), ("certs/servers/edge.crt", issuing, True)}
    assert found >= {("certs/upstreams/edge.crt", files["upstreams"].sha256, False)}
    assert found >= {("certificates/shop", shop.sha256, False), ("certificates/shop", issuing, False)}
    assert ("certificates/shop", old.sha256, False) not in found
    assert {place for place, _, _ in found} >= {"certs/internal/edge.crt", "trust-stores/tpp", "trust-stores/partners"}
    assert "upstreams/far" in {place for place, _, _ in found}


def test_the_control_api_lists_what_ends_soon(engine: Engine, tmp_path: Path) -> None:
    """The first to end first, what has ended before all."""
    watched = [ending(20, place="certificates/b"), ending(-1, place="certificates/a"), ending(40, place="certificates/c")]
    api = admin_client(engine, tmp_path, clock=FixedClock(NOW), watched=lambda: watched)

    def places(query: str = "") -> list[tuple[str, float]]:
        found = api.get(f"/certificates/expiring{query}").get_json()["certificates"]
        return [(each["place"], each["days_left"]) for each in found]

    assert places() == [("certificates/a", -1.0), ("certificates/b", 20.0)]
    assert len(places("?days=60")) == 3
    assert api.get("/certificates/expiring?days=-1").status_code == 422
    assert expiring(watched, NOW - 90 * DAY, days=30) == []


def test_the_metric_has_what_documents_hold_by_its_first_end() -> None:
    """Files and trust stores it has already."""
    watched = [ending(40), ending(20), ending(9, place="upstreams/far"), ending(3, place="trust-stores/tpp")]
    found = {(each.kind, each.name): round(each.days_left(NOW)) for each in documented_expiries(watched)}
    assert found == {("certificate", "shop"): 20, ("upstream", "far"): 9}
