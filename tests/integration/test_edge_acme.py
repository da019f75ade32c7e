"""A certificate from a real ACME server, proved over HTTP by a running edge, in force on every worker, renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.test_edge_certificates import shown
from tests.support.acme import NAMES, Orderer
from tests.support.edge import running_edge
from tests.support.patience import IN_FORCE_SECONDS
from tests.support.pebble import needs_pebble, running_pebble
from tests.support.pki import DAY
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from pathlib import Path


@needs_pebble
def test_the_edge_proves_the_names_and_shows_the_certificate(tmp_path: Path) -> None:
    """On every worker, and the renewed one after it."""
    with (
        running_edge(tmp_path / "edge") as edge,
        running_pebble(tmp_path / "pebble", http_port=edge.ports.welcome) as pebble,
    ):
        orderer = Orderer(edge.register.engine, edge.home.path)
        orderer.want(pebble)
        default = shown(edge, name=NAMES[0], port=edge.ports.front)
        orderer.put("server-names", "shop", {"names": NAMES, "listeners": ["front"], "certificate": "shop"})
        assert shown(edge, name=NAMES[0], port=edge.ports.front) == default, "there is none yet"
        assert orderer.keeper.keep_due() == 1, orderer.progress.failure
        for _ in range(2):
            expected = {orderer.stored.current.sha256}
            wait_until(
                lambda: shown(edge, name=NAMES[0], port=edge.ports.front) == expected,  # noqa: B023
                seconds=IN_FORCE_SECONDS,
                what="the certificate",
            )
            orderer.clock.advance(orderer.stored.current.not_after - orderer.clock.now() - DAY)
            orderer.keeper.keep_due()
