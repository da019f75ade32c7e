"""Build, rehearse with a throw-away key, lint, sign: the only way a certificate comes into being here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from psd2.thumbprints import sha256_hex
from sandbox.ca.content import certificate_builder
from sandbox.ca.errors import LintFailed
from sandbox.ca.keys import key_sha256, make_key_like, signature_hash
from sandbox.ca.lint import lint
from sandbox.ca.model import CertificateRecord, serial_text

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from sandbox.ca.content import Content
    from sandbox.ca.keys import PrivateKey
    from sandbox.ca.lint import Expectation, LintCode
    from sandbox.ca.model import Fault, TppSubject


@dataclass(frozen=True, slots=True)
class Issuer:
    """A name and the key that signs for it; `certificate` is None while a root makes its own."""

    ca: str
    subject: x509.Name
    key: PrivateKey = field(repr=False)
    certificate: x509.Certificate | None = None

    @property
    def chain_pem(self) -> str:
        """The issuing certificate as PEM; empty for a root in the making."""
        return pem_of(self.certificate) if self.certificate else ""


def pem_of(certificate: x509.Certificate) -> str:
    """Write a certificate as PEM text."""
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def record_of(
    certificate: x509.Certificate,
    *,
    ca: str,
    profile: str,
    now: datetime,
    tpp: TppSubject | None = None,
    fault: Fault | None = None,
    replaces: str | None = None,
) -> CertificateRecord:
    """Make the record of a certificate just issued."""
    der = certificate.public_bytes(Encoding.DER)
    return CertificateRecord(
        serial=serial_text(certificate.serial_number),
        ca=ca,
        profile=profile,
        subject=certificate.subject.rfc4514_string(),
        sha256=sha256_hex(der),
        key_sha256=key_sha256(certificate.public_key()),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issued_at=now,
        der=der,
        tpp=tpp.name if tpp else None,
        authorisation_number=tpp.authorisation_number if tpp else None,
        fault=fault,
        replaces=replaces,
    )


def issue(
    content: Content,
    *,
    issuer: Issuer,
    expected: Expectation,
    faults: frozenset[LintCode] = frozenset(),
) -> x509.Certificate:
    """Sign `content` if its rehearsal has exactly the findings `faults`, which is none for a right certificate.

    Raises LintFailed; the issuer's key signs nothing that failed.
    """
    algorithm = signature_hash(issuer.key)
    builder = certificate_builder(content, issuer_name=issuer.subject, issuer_key=issuer.key.public_key())
    rehearsal = builder.sign(make_key_like(issuer.key), algorithm)
    _require_findings(rehearsal, expected, faults)
    certificate = builder.sign(issuer.key, algorithm)
    if certificate.tbs_certificate_bytes != rehearsal.tbs_certificate_bytes:
        raise LintFailed("the certificate is not the one that was rehearsed")
    return certificate


def _require_findings(rehearsal: x509.Certificate, expected: Expectation, faults: frozenset[LintCode]) -> None:
    findings = lint(rehearsal, expected)
    codes = {finding.code for finding in findings}
    if codes - faults:
        raise LintFailed("the certificate is not as its profile asks", [f for f in findings if f.code not in faults])
    if faults - codes:
        raise LintFailed(f"the certificate lacks the fault asked for: {', '.join(sorted(faults - codes))}")
