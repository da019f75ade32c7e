"""Changes whom the gateway trusts: trust stores, CRLs, and the operator's block list."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Protocol

from cryptography import x509

from gateway.configuration.changes import WHATEVER_STANDS
from gateway.trust.anchors import read_trust_store
from gateway.trust.crl import read_crl
from gateway.trust.model import PUSHED, TrustRefusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from gateway.configuration.changes import Precondition
    from gateway.trust.kind import TrustStore as DescribedStore
    from gateway.trust.model import ListInForce, RevocationList, TrustCertificate
    from psd2.clock import Clock

MOST_REASON_CHARACTERS = 500
_SHA256 = re.compile(r"[0-9a-f]{64}")


class TrustStore(Protocol):
    """Where trust is kept. Every change also tells the change feed, in the same transaction."""

    def certificates(self, store: str) -> Sequence[TrustCertificate]:
        """Return the certificates of a trust store."""

    def replace(self, store: str, certificates: Sequence[TrustCertificate], at: datetime) -> None:
        """Put these certificates in the place of all that the store held."""

    def take_crl(self, store: str, crl: RevocationList, at: datetime) -> None:
        """Put a CRL in the place of its issuer's older one; raises `OutdatedCrl`."""

    def lists(self, store: str) -> Sequence[ListInForce]:
        """Return what is known of a store's CRLs."""

    def blocked(self, sha256: str) -> str | None:
        """Return the reason for which a certificate is blocked, None where it is not."""

    def block(self, sha256: str, reason: str, at: datetime, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Block a certificate; returns whether it was free before; raises `PreconditionFailed`."""

    def unblock(self, sha256: str, at: datetime, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Free a certificate; returns whether it was blocked; raises `PreconditionFailed`."""


class Trust:
    """Whom the gateway trusts."""

    def __init__(
        self, *, store: TrustStore, clock: Clock, described: Callable[[], Mapping[str, DescribedStore]] | None = None
    ) -> None:
        """Change what is in `store`; `described` returns the stores' documents, None where there are none."""
        self._store = store
        self._clock = clock
        self._described = described or dict
        self._reading = threading.Lock()

    def authorities(self, store: str) -> Sequence[x509.Certificate]:
        """Return the CAs of a store: those delivered, and those of its document."""
        document = self._described().get(store)
        delivered = [x509.load_pem_x509_certificate(each.pem.encode("ascii")) for each in self._store.certificates(store)]
        return [*delivered, *(each.certificate for each in (document.certificates if document else ()))]

    def replace(self, store: str, *, anchors: Sequence[str], intermediates: Sequence[str]) -> Sequence[TrustCertificate]:
        """Replace a trust store by these PEM certificates, whole or not at all; raises `TrustRefusal`."""
        now = self._clock.now()
        certificates = read_trust_store(anchors=anchors, intermediates=intermediates, now=now)
        self._store.replace(store, certificates, now)
        return certificates

    def take_crl(self, store: str, der: bytes, *, source: str = PUSHED) -> RevocationList:
        """Take a CRL into force; raises `TrustRefusal`, `OutdatedCrl` where a newer one is in force."""
        now = self._clock.now()
        authorities = self.authorities(store)
        # One at a time: reading the longest list takes some hundred megabytes for a second or two.
        with self._reading:
            crl = read_crl(der, authorities=authorities, now=now, source=source)
        self._store.take_crl(store, crl, now)
        return crl

    def lists(self, store: str) -> Sequence[ListInForce]:
        """Return what is known of a store's CRLs."""
        return self._store.lists(store)

    def blocked(self, sha256: str) -> str | None:
        """Return the reason for which a certificate is blocked, None where it is not; raises `TrustRefusal`."""
        _require_sha256(sha256)
        return self._store.blocked(sha256)

    def block(self, sha256: str, reason: str, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Block a certificate by its SHA-256; returns whether it was free; raises `TrustRefusal`, `PreconditionFailed`."""
        _require_sha256(sha256)
        if not 0 < len(reason.strip()) <= MOST_REASON_CHARACTERS:
            raise TrustRefusal("reason", f"1 to {MOST_REASON_CHARACTERS} characters are taken, {len(reason)} were given")
        return self._store.block(sha256, reason.strip(), self._clock.now(), expected)

    def unblock(self, sha256: str, expected: Precondition = WHATEVER_STANDS) -> bool:
        """Free a certificate; returns whether it was blocked; raises `TrustRefusal`, `PreconditionFailed`."""
        _require_sha256(sha256)
        return self._store.unblock(sha256, self._clock.now(), expected)


def _require_sha256(text: str) -> None:
    if not _SHA256.fullmatch(text):
        raise TrustRefusal("sha256", "write the SHA-256 of the certificate's DER as 64 lower-case hex digits")
