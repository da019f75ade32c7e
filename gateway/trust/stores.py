"""The trust stores in force in one worker: what their documents say, and what holds where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chassis.logs import get_logger
from gateway.configuration.model import Kinds
from gateway.configuration.snapshot import SetRefused, SnapshotReader
from gateway.trust.kind import TRUST_STORES
from gateway.trust.model import TrustKind
from gateway.trust.rules import CrlRules, RevocationRules, StoreRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cryptography import x509

    from gateway.config import GatewaySettings
    from gateway.configuration.snapshot import Snapshot
    from gateway.configuration.versions import Version
    from gateway.trust.kind import TrustStore
    from gateway.trust.snapshot import TrustSnapshot


def default_rules(settings: GatewaySettings) -> StoreRules:
    """Return the rules of a store that no document describes: CRLs that are sent to us, as the settings say."""
    crl = CrlRules(grace_seconds=settings.crl_grace_seconds)
    return StoreRules(revocation=RevocationRules(unknown=settings.revocation, crl=crl))


class TrustStores:
    """A part of the live configuration: the documents of all trust stores."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Know of no document yet."""
        self._default = default_rules(settings)
        self._stores: Mapping[str, TrustStore] = {}
        self._when_changed: Callable[[str], None] = lambda _store: None

    def when_changed(self, renew: Callable[[str], None]) -> None:
        """Call `renew` with the name of each store that a new set changes."""
        self._when_changed = renew

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        """Return what puts the set's trust stores in force."""
        stores = dict(snapshot.of(TRUST_STORES))

        def put_in_force() -> None:
            before, self._stores = self._stores, stores
            for name in {*before, *stores}:
                # A document that has not changed is not parsed again: it is the same object.
                if before.get(name) is not stores.get(name):
                    self._when_changed(name)

        return put_in_force

    def rules_of(self, store: str) -> StoreRules:
        """Return how a store judges."""
        described = self._stores.get(store)
        return described.rules if described else self._default

    def completed(self, store: str, delivered: TrustSnapshot) -> TrustSnapshot:
        """Return what has been delivered for a store, together with what its document holds."""
        described = self._stores.get(store)
        if described is None:
            return delivered
        return replace(
            delivered,
            anchors=_united(delivered.anchors, described.of_kind(TrustKind.ANCHOR)),
            intermediates=_united(delivered.intermediates, described.of_kind(TrustKind.INTERMEDIATE)),
        )


def _united(*parts: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...]:
    return tuple(dict.fromkeys(certificate for part in parts for certificate in part))


class StandingStores:
    """The stores' documents as they stand in the database, for processes that follow no change feed."""

    def __init__(self, standing: Callable[[], Iterable[Version]]) -> None:
        """`standing` returns the documents of the kind; it blocks."""
        self._standing = standing
        self._reader = SnapshotReader(Kinds((TRUST_STORES,)))
        self._last: Mapping[str, TrustStore] = {}

    def read(self) -> Mapping[str, TrustStore]:
        """Return the stores by name; the last usable ones where what stands can't be used."""
        try:
            self._last = self._reader.parsed(self._standing()).of(TRUST_STORES)
        except SetRefused as refused:
            get_logger().error("trust.documents_refused", error=str(refused))
        return self._last
