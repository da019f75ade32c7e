"""Certificate revocation lists: complete ones, numbered, signed by the authority itself (RFC 5280 §5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.ca.keys import key_sha256, signature_hash
from sandbox.ca.model import RevocationReason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sandbox.ca.issuance import Issuer
    from sandbox.ca.profiles import CrlRules


@dataclass(frozen=True, slots=True)
class RevokedEntry:
    """One line of a CRL."""

    serial: str
    reason: RevocationReason
    at: datetime


@dataclass(frozen=True, slots=True)
class PublishedCrl:
    """A CRL as it is served; `issuer_key_sha256` tells whose key signed it."""

    ca: str
    number: int
    issuer_key_sha256: str
    this_update: datetime
    next_update: datetime
    der: bytes = field(repr=False)


def sign_crl(issuer: Issuer, entries: Sequence[RevokedEntry], *, number: int, now: datetime, rules: CrlRules) -> PublishedCrl:
    """Sign a complete list of what `issuer` has revoked."""
    this_update = now.replace(microsecond=0)
    next_update = this_update + timedelta(hours=rules.valid_hours)
    public_key = issuer.key.public_key()
    # All entries at once: the builder copies its list for each one added, which takes 20 s for 200,000.
    revoked = [_revoked(entry) for entry in entries]
    builder = (
        x509.CertificateRevocationListBuilder(issuer.subject, this_update, next_update, revoked_certificates=revoked)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    return PublishedCrl(
        ca=issuer.ca,
        number=number,
        issuer_key_sha256=key_sha256(public_key),
        this_update=this_update,
        next_update=next_update,
        der=builder.sign(issuer.key, signature_hash(issuer.key)).public_bytes(Encoding.DER),
    )


def _revoked(entry: RevokedEntry) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(int(entry.serial, 16), entry.at.replace(microsecond=0))
    if entry.reason is not RevocationReason.UNSPECIFIED:  # RFC 5280 §5.3.1: absent rather than unspecified
        builder = builder.add_extension(x509.CRLReason(x509.ReasonFlags(entry.reason.value)), critical=False)
    return builder.build()


def next_number(previous: int | None, now: datetime) -> int:
    """Choose the next CRL number: above the previous one, and above all of a database that was lost (RFC 5280 §5.2.3)."""
    return max((previous or 0) + 1, int(now.timestamp()))


def is_due(crl: PublishedCrl, *, issuer: Issuer, now: datetime, rules: CrlRules) -> bool:
    """Tell whether `crl` should be signed anew: its time has come, or its signer was made anew."""
    if crl.issuer_key_sha256 != key_sha256(issuer.key.public_key()):
        return True
    return now >= crl.this_update + timedelta(hours=rules.renew_hours)
