"""Judges CAs of clients before they come in beside the documents, by the relays that stand then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.logs import get_logger
from gateway.configuration.model import Kinds
from gateway.configuration.snapshot import SetRefused, SnapshotReader
from gateway.relays.kind import RELAYS
from gateway.relays.separation import shared_with_clients
from gateway.trust.kind import TRUST_STORES
from gateway.trust.model import TPP_STORE, TrustRefusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.configuration.snapshot import Delivered, Snapshot
    from gateway.configuration.versions import Version
    from gateway.trust.model import TrustCertificate


class RelaysApart:
    """What `gateway.trust.store` asks in the transaction of a delivery."""

    def __init__(self) -> None:
        self._reader = SnapshotReader(Kinds((RELAYS, TRUST_STORES)))

    def require(self, standing: Iterable[Version], store: str, certificates: Sequence[TrustCertificate]) -> None:
        """Raise `TrustRefusal` where a relay would have a CA in common with clients."""
        try:
            snapshot = self._of_relays(list(standing), {store: tuple(each.pem for each in certificates)})
        except SetRefused as refused:
            # Whom to trust must not hang on a document that somebody broke; at run time no TPP is a relay whatever it says.
            get_logger().error("relays.unreadable", error=str(refused))
            return
        faults = [f"{fault.document}: {fault.problem}" for fault in shared_with_clients(snapshot.of(RELAYS).values(), snapshot)]
        if faults:
            raise TrustRefusal("anchors", f"{'; '.join(faults)}: give the relay a store of its own, then send them again")

    def _of_relays(self, standing: Sequence[Version], delivered: Delivered) -> Snapshot:
        """Return relays and the stores that they or TPPs are judged by, no others: all changes of trust wait for this."""
        relays = [version for version in standing if version.kind == RELAYS.name]
        described = self._reader.parsed(relays).of(RELAYS).values()
        stores = {TPP_STORE, *(each.certificate.trust_store for each in described if each.certificate)}
        judging = [version for version in standing if version.kind == TRUST_STORES.name and version.name in stores]
        return self._reader.parsed([*relays, *judging], delivered)
