"""What the control API's process is made of, as far as it orders certificates by ACME."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.acme.keeper import AcmeKeeper
from gateway.acme.ordering import AcmeOrdering
from gateway.acme.store import SqlAcme
from gateway.certificates.kind import CERTIFICATES
from gateway.config import GatewaySettings
from gateway.configuration.changes import Change
from gateway.configuration.service import Configuration
from gateway.documents import document_seal, document_store
from gateway.kinds import KINDS
from psd2.clock import FixedClock, SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from gateway.acme.model import Progress
    from gateway.certificates.model import StoredCertificate
    from tests.support.pebble import Pebble

NAMES = ["shop.example", "www.shop.example"]


@dataclass
class Orderer:
    """Orders certificates when it is told to look."""

    engine: Engine
    home: Path

    def __post_init__(self) -> None:
        settings = GatewaySettings(GATEWAY_HOME=self.home)
        # What is issued in the tests is valid by then.
        self.clock = FixedClock(SystemClock().now() + timedelta(minutes=1))
        self.kept = SqlAcme(self.engine, document_seal(settings))
        store = document_store(self.engine, settings)
        self.configuration = Configuration(kinds=KINDS, store=store, clock=self.clock)
        self.ordering = AcmeOrdering(keeping=self.kept, clock=SystemClock())
        self.keeper = AcmeKeeper(
            configuration=self.configuration, keeping=self.kept, ordering=self.ordering, clock=self.clock, random=lambda: 0.5
        )

    def want(self, pebble: Pebble, **account: Any) -> None:
        """Say that a certificate is wanted from this CA."""
        body = {"directory": pebble.directory, "ca_bundle": pebble.ca_bundle, "terms_of_service_agreed": True} | account
        wanted = {"account": "public", "names": NAMES}
        self.put("acme-accounts", "public", body)
        self.put("acme-certificates", "shop", wanted)

    def put(self, kind: str, name: str, body: dict[str, Any] | None) -> None:
        self.configuration.apply([Change(kind=kind, name=name, body=body)])

    @property
    def progress(self) -> Progress:
        return self.kept.progress("shop")

    @property
    def stored(self) -> StoredCertificate:
        return self.configuration.snapshot().of(CERTIFICATES)["shop"]
