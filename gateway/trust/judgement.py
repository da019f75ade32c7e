"""Judges a TPP's certificates: trusted, meant for this, in time, not revoked, a QWAC or QSealC (RFC 5280 §6, TS 119 495 §5).

A verdict depends on the leaf and one trust snapshot alone, never on what else the handshake brought, so that a resumed
session, which has the leaf only, is judged like a full one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from psd2.certificates import (
    MalformedCertificate,
    NotAQsealc,
    NotAQwac,
    Psd2Certificate,
    parse_certificate,
    require_qsealc,
    require_qwac,
)
from psd2.ecdsa_twins import twin_sha256s
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.trust.snapshot import CrlInForce, TrustSnapshot

MAX_CHAIN_DEPTH = 3
_LEAST_RSA_BITS = 2048
_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"})
_MOST_VERDICTS = 10_000
# How long a chain that did not verify is taken for broken: a CA of it may come into force.
_CHAIN_RETRY_SECONDS = 60.0


class Distrust(StrEnum):
    """Why a certificate is refused, as the audit log and the TPP read it."""

    MALFORMED = "mtls.malformed"
    BLOCKED = "mtls.blocked"
    UNTRUSTED = "mtls.untrusted"
    CHAIN = "mtls.chain"
    EKU = "mtls.eku"
    EXPIRED = "mtls.expired"
    NOT_YET_VALID = "mtls.not_yet_valid"
    REVOKED = "mtls.revoked"
    REVOCATION_UNKNOWN = "mtls.revocation_unknown"
    NOT_A_QWAC = "mtls.not_a_qwac"
    NOT_A_QSEALC = "signature.not_a_seal"


class _Purpose(StrEnum):
    """What a certificate is presented for."""

    TLS = "tls"
    SEAL = "seal"


class Distrusted(Exception):
    """A certificate that opens nothing; the message is for the log, and `holds_until` ends this verdict (epoch seconds).

    `authorisation_number` is the TPP's where a trusted authority vouches for it: the log of that TPP shows the refusal.
    """

    def __init__(self, distrust: Distrust, detail: str, *, holds_until: float = math.inf) -> None:
        """Say why, and until when a new judgement would say the same."""
        super().__init__(detail)
        self.distrust = distrust
        self.holds_from = -math.inf
        self.holds_until = holds_until
        self.authorisation_number: str | None = None

    def again(self) -> Distrusted:
        """Return the same to raise anew: one that is remembered must not gather a traceback each time it is raised."""
        copy = Distrusted(self.distrust, str(self), holds_until=self.holds_until)
        copy.authorisation_number = self.authorisation_number
        return copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A certificate that was judged good, and the time in which that holds (epoch seconds, half open).

    `status_as_of` is when the CRL that does not list it was published, None where there is no such CRL.
    """

    certificate: Psd2Certificate
    status_as_of: float | None
    holds_from: float
    holds_until: float


class Judge:
    """Judges certificates by one snapshot and remembers its verdicts; a new snapshot wants a new judge."""

    def __init__(self, snapshot: TrustSnapshot, *, unknown_status_is_fatal: bool, crl_grace_seconds: float) -> None:
        """Hold the snapshot; with `unknown_status_is_fatal` a certificate without a CRL in force is refused."""
        self._snapshot = snapshot
        self._hard = unknown_status_is_fatal
        self._grace = crl_grace_seconds
        self._verdicts: dict[bytes, Trusted | Distrusted] = {}
        self._seal_verdicts: dict[bytes, Trusted | Distrusted] = {}

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
            return self._require_all(_parsed(der), now, purpose)
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
        _require_qsealc(certificate) if purpose is _Purpose.SEAL else _require_client_purpose(certificate)
        _require_in_time(certificate, now)
        _require_strong_key(certificate.x509)
        chain = self._verified_chain(certificate, now)
        status_known_until = self._require_not_revoked(chain, now)
        if purpose is _Purpose.TLS:
            _require_qwac(certificate)
        crl = self._crl_of(chain[0])
        return Trusted(
            certificate=certificate,
            status_as_of=crl.this_update if crl else None,
            holds_from=certificate.not_before.timestamp(),
            holds_until=min(status_known_until, *(link.not_valid_after_utc.timestamp() for link in chain)),
        )

    def _crl_of(self, link: x509.Certificate) -> CrlInForce | None:
        return self._snapshot.crls.get(sha256_hex(link.issuer.public_bytes()))

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
        return any(_has_issued(authority, certificate.x509) for authority in authorities)

    def _verified_chain(self, certificate: Psd2Certificate, now: float) -> Sequence[x509.Certificate]:
        """Return the chain, leaf first (RFC 5280 §6.1)."""
        try:
            verifier = (
                PolicyBuilder()
                .store(Store(list(self._snapshot.anchors)))
                .time(datetime.fromtimestamp(now, UTC))
                .max_chain_depth(MAX_CHAIN_DEPTH)
                .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_leaf_policy())
                .build_client_verifier()
            )
            return verifier.verify(certificate.x509, list(self._snapshot.intermediates)).chain
        except (VerificationError, ValueError, UnsupportedAlgorithm) as error:
            raise Distrusted(Distrust.CHAIN, f"no chain verifies: {error}", holds_until=now + _CHAIN_RETRY_SECONDS) from error

    def _require_not_revoked(self, chain: Sequence[x509.Certificate], now: float) -> float:
        """Look up every certificate below the anchor; return until when their status is known (RFC 5280 §6.3)."""
        known_until = math.inf
        for link in chain[:-1]:
            crl = self._crl_of(link)
            if crl is not None and link.serial_number in crl.revoked:
                detail = f"serial {link.serial_number:x} of {link.issuer.rfc4514_string()} is in CRL {crl.number}"
                raise Distrusted(Distrust.REVOKED, detail)
            if self._hard:
                # Only the leaf's issuer must publish: a CA's own status may stand in a list that nobody has sent us.
                known_until = min(known_until, self._status_known_until(crl, now, leaf=link is chain[0]))
        return known_until

    def _status_known_until(self, crl: CrlInForce | None, now: float, *, leaf: bool) -> float:
        if crl is None and not leaf:
            return math.inf
        if crl is None:
            raise Distrusted(Distrust.REVOCATION_UNKNOWN, "there is no CRL of its issuer")
        known_until = crl.next_update + self._grace
        if now >= known_until:
            out = datetime.fromtimestamp(crl.next_update, UTC).isoformat()
            raise Distrusted(Distrust.REVOCATION_UNKNOWN, f"CRL {crl.number} of its issuer ran out at {out}")
        return known_until


def _remember(verdicts: dict[bytes, Trusted | Distrusted], digest: bytes, verdict: Trusted | Distrusted) -> None:
    if len(verdicts) >= _MOST_VERDICTS:
        verdicts.clear()
    verdicts[digest] = verdict


def _parsed(der: bytes) -> Psd2Certificate:
    try:
        return parse_certificate(der)
    except MalformedCertificate as error:
        raise Distrusted(Distrust.MALFORMED, str(error)) from error


def _has_issued(authority: x509.Certificate, leaf: x509.Certificate) -> bool:
    if authority.subject != leaf.issuer:
        return False
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _leaf_policy() -> ExtensionPolicy:
    # A QWAC for TLS clients needs no name to connect to; all other defaults stay.
    return ExtensionPolicy.webpki_defaults_ee().may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)


def _require_client_purpose(certificate: Psd2Certificate) -> None:
    try:
        purposes = certificate.x509.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        found = ", ".join(purpose.dotted_string for purpose in purposes)
        raise Distrusted(Distrust.EKU, f"extendedKeyUsage is {found}, without clientAuth")


def _require_in_time(certificate: Psd2Certificate, now: float) -> None:
    if now < certificate.not_before.timestamp():
        detail = f"valid from {certificate.not_before.isoformat()}"
        raise Distrusted(Distrust.NOT_YET_VALID, detail, holds_until=certificate.not_before.timestamp())
    if now > certificate.not_after.timestamp():  # notAfter itself is inside (RFC 5280 §4.1.2.5)
        raise Distrusted(Distrust.EXPIRED, f"expired at {certificate.not_after.isoformat()}")


def _require_strong_key(certificate: x509.Certificate) -> None:
    """Raise unless the leaf's own key is one of TS 119 312 §6.2.2: chain verification looks at its issuers' only."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Distrusted(Distrust.CHAIN, f"its key can't be used: {error}") from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _LEAST_RSA_BITS:
        raise Distrusted(Distrust.CHAIN, f"its RSA key has {key.key_size} bits, {_LEAST_RSA_BITS} are needed")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
        raise Distrusted(
            Distrust.CHAIN, f"its key is on the curve {key.curve.name}, not on one of {', '.join(sorted(_CURVES))}"
        )
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        raise Distrusted(Distrust.CHAIN, f"its key is of a kind that is not taken: {type(key).__name__}")


def _require_qwac(certificate: Psd2Certificate) -> None:
    try:
        require_qwac(certificate)
    except NotAQwac as error:
        raise Distrusted(Distrust.NOT_A_QWAC, error.reason) from error


def _require_qsealc(certificate: Psd2Certificate) -> None:
    try:
        require_qsealc(certificate)
    except NotAQsealc as error:
        raise Distrusted(Distrust.NOT_A_QSEALC, str(error)) from error
