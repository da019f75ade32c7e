"""Judges a TPP's certificates: trusted, meant for this, in time, not revoked, a QWAC or QSealC (RFC 5280 §6, TS 119 495 §5).

A verdict depends on the leaf, one trust snapshot and what its CA's responder says, never on what else the handshake brought,
so that a resumed session, which has the leaf only, is judged like a full one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from gateway.trust.authorities import has_issued
from gateway.trust.leaf_checks import (
    leaf_policy,
    parsed_leaf,
    require_client_purpose,
    require_in_time,
    require_seal,
    require_strong_key,
    require_web_certificate,
)
from gateway.trust.model import TPP_STORE
from gateway.trust.revocation import Revocation
from gateway.trust.rules import Profile
from gateway.trust.verdict import Distrust, Distrusted, Trusted
from psd2.ecdsa_twins import twin_sha256s
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from cryptography import x509

    from gateway.trust.revocation import OcspStatuses
    from gateway.trust.rules import StoreRules
    from gateway.trust.snapshot import TrustSnapshot
    from psd2.certificates import Psd2Certificate

_MOST_VERDICTS: Final = 10_000
# How long a chain that did not verify is taken for broken: a CA of it may come into force.
_CHAIN_RETRY_SECONDS: Final = 60.0


class _Purpose(StrEnum):
    """What a certificate is presented for."""

    TLS = "tls"
    SEAL = "seal"


class ChainNotes(Protocol):
    """Wants to know where lists are fetched from."""

    def note(self, store: str, chain: Sequence[x509.Certificate]) -> None:
        """Hear of a chain that verifies."""


class Judge:
    """Judges certificates by one snapshot and remembers its verdicts; a new snapshot wants a new judge."""

    def __init__(
        self,
        snapshot: TrustSnapshot,
        rules: StoreRules,
        *,
        ocsp: OcspStatuses | None = None,
        points: ChainNotes | None = None,
        store: str = TPP_STORE,
    ) -> None:
        """Hold the snapshot of the store named `store`, and its rules; `points` hears of each chain that verifies."""
        self._store = store
        self._points = points if rules.revocation.method.reads_lists and rules.revocation.crl.fetch else None
        self._snapshot = snapshot
        self._rules = rules
        self._ocsp, self._store = ocsp, store
        self._discreet: Judge | None = None
        self._revocation = Revocation(rules.revocation, crls=snapshot.crls, ocsp=ocsp, store=store)
        self._verdicts: dict[bytes, Trusted | Distrusted] = {}
        self._seal_verdicts: dict[bytes, Trusted | Distrusted] = {}

    def discreet(self) -> Judge:
        """Return the judge that does not tell whom the operator has blocked: for certificates that anybody may hold out."""
        if self._discreet is None:
            snapshot = replace(self._snapshot, blocked=frozenset())
            self._discreet = Judge(snapshot, self._rules, ocsp=self._ocsp, store=self._store)
        return self._discreet

    def forget_verdicts(self) -> None:
        """Judge everybody anew, because a responder has changed its word."""
        self._verdicts.clear()
        self._seal_verdicts.clear()
        self._discreet = None

    def listed_by(self, issuer: x509.Certificate) -> Container[int]:
        """Return the serial numbers that the issuer's CRL lists."""
        crl = self._snapshot.crls.get(sha256_hex(issuer.subject.public_bytes()))
        return crl.revoked if crl else ()

    def require_trusted(self, der: bytes, *, digest: bytes, now: float) -> Trusted:
        """Return the verdict on a good QWAC; `digest` is the SHA-256 of `der`. Raises `Distrusted`."""
        verdict = self._verdicts.get(digest)
        if verdict is None or not verdict.holds_from <= now < verdict.holds_until:
            verdict = self._judged(der, now, _Purpose.TLS)
            _remember(self._verdicts, digest, verdict)
        if isinstance(verdict, Distrusted):
            raise verdict.again()
        return verdict

    def require_trusted_seal(self, der: bytes, *, digest: bytes, now: float) -> Trusted:
        """Return the verdict on a good QSealC; `digest` is the SHA-256 of `der`. Raises `Distrusted`."""
        verdict = self._seal_verdicts.get(digest)
        if verdict is None or not verdict.holds_from <= now < verdict.holds_until:
            verdict = self._judged(der, now, _Purpose.SEAL)
            _remember(self._seal_verdicts, digest, verdict)
        if isinstance(verdict, Distrusted):
            raise verdict.again()
        return verdict

    def _judged(self, der: bytes, now: float, purpose: _Purpose) -> Trusted | Distrusted:
        try:
            return self._require_all(parsed_leaf(der), now, purpose)
        except Distrusted as distrusted:
            return distrusted.again()

    def _require_all(self, certificate: Psd2Certificate, now: float, purpose: _Purpose) -> Trusted:
        """Judge; the order decides which of several faults is named."""
        try:
            self._require_not_blocked(certificate)
            self._require_known_issuer(certificate)
            return self._require_rest(certificate, now, purpose)
        except Distrusted as distrusted:
            if self._has_known_issuer(certificate):
                distrusted.authorisation_number = certificate.authorisation_number
            raise

    def _require_rest(self, certificate: Psd2Certificate, now: float, purpose: _Purpose) -> Trusted:
        # Asked first of a seal: what else is wrong with a QWAC as a seal is beside the point.
        require_seal(certificate) if purpose is _Purpose.SEAL else require_client_purpose(certificate)
        require_in_time(certificate, now)
        require_strong_key(certificate.x509)
        chain = self._verified_chain(certificate, now)
        if self._points is not None:
            # Before the list is asked for: without it nobody may get any further.
            self._points.note(self._store, chain)
        status, known_until = self._revocation.require_not_revoked(chain, now)
        if purpose is _Purpose.TLS and self._rules.profile is Profile.PSD2:
            require_web_certificate(certificate)
        return Trusted(
            certificate=certificate,
            profile=self._rules.profile,
            status=status,
            issuers=tuple(sha256_hex(issuer.public_bytes(Encoding.DER)) for issuer in chain[1:]),
            holds_from=certificate.not_before.timestamp(),
            holds_until=min(known_until, *(link.not_valid_after_utc.timestamp() for link in chain)),
        )

    def _require_not_blocked(self, certificate: Psd2Certificate) -> None:
        # The holder of a blocked certificate makes its twin without any key: the same one, under another hash.
        names = (certificate.sha256, *twin_sha256s(certificate.x509)) if self._snapshot.blocked else ()
        blocked = self._snapshot.blocked.intersection(names)
        if blocked:
            raise Distrusted(Distrust.BLOCKED, f"{', '.join(sorted(blocked))} is on the block list")

    def _require_known_issuer(self, certificate: Psd2Certificate) -> None:
        if not self._has_known_issuer(certificate):
            raise Distrusted(Distrust.UNTRUSTED, f"no CA of the trust store has issued it; its issuer is {certificate.issuer}")

    def _has_known_issuer(self, certificate: Psd2Certificate) -> bool:
        authorities = (*self._snapshot.anchors, *self._snapshot.intermediates)
        return any(has_issued(authority, certificate.x509) for authority in authorities)

    def _verified_chain(self, certificate: Psd2Certificate, now: float) -> Sequence[x509.Certificate]:
        """Return the chain, leaf first (RFC 5280 §6.1)."""
        try:
            verifier = (
                PolicyBuilder()
                .store(Store(list(self._snapshot.anchors)))
                .time(datetime.fromtimestamp(now, UTC))
                .max_chain_depth(self._rules.max_chain_depth)
                .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=leaf_policy())
                .build_client_verifier()
            )
            return verifier.verify(certificate.x509, list(self._snapshot.intermediates)).chain
        except (VerificationError, ValueError, UnsupportedAlgorithm) as error:
            raise Distrusted(Distrust.CHAIN, f"no chain verifies: {error}", holds_until=now + _CHAIN_RETRY_SECONDS) from error


def _remember(verdicts: dict[bytes, Trusted | Distrusted], digest: bytes, verdict: Trusted | Distrusted) -> None:
    if len(verdicts) >= _MOST_VERDICTS:
        verdicts.clear()
    verdicts[digest] = verdict
