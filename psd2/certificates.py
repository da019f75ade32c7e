"""PSD2 certificates as a gateway sees them: PEM or DER parsed once into a frozen type.

QWAC and QSealC are told apart by their QcType (EN 319 412-5 §4.2.3); `require_qwac` adds what EN 319 412-4 asks of a
certificate that a TPP presents in TLS. Trust, validity and revocation are for others to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from psd2.qcstatements import QC_STATEMENTS_OID, decode_qcstatements
from psd2.qualified import MalformedQcStatements, QcStatements, QcType
from psd2.thumbprints import sha256_hex, x5t_s256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psd2.roles import PspRole

MAX_CERTIFICATE_BYTES = 65_536  # a PEM chain of several RSA 4096 certificates fits
_PEM_MARK = b"-----BEGIN"
_QC_STATEMENTS = x509.ObjectIdentifier(QC_STATEMENTS_OID)
_STRUCTURE_FAULTS = (x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


class MalformedCertificate(ValueError):
    """Bytes that hold no readable certificate; the message names the part that cannot be read."""


class QwacFault(StrEnum):
    """Which property of a QWAC a certificate lacks."""

    QC_TYPE = "qc_type"
    PSD2_STATEMENT = "psd2_statement"
    AUTHORISATION_NUMBER = "authorisation_number"
    CERTIFICATE_AUTHORITY = "certificate_authority"
    KEY_USAGE = "key_usage"
    EXTENDED_KEY_USAGE = "extended_key_usage"


class NotAQwac(ValueError):
    """A certificate that is no QWAC: `fault` for code, the message for people."""

    def __init__(self, fault: QwacFault, reason: str) -> None:
        """Name the property that is missing and say what was found instead."""
        super().__init__(reason)
        self.fault = fault
        self.reason = reason


class NotAQsealc(ValueError):
    """A certificate that is no QSealC; the message says what it lacks."""


class CertificateKind(StrEnum):
    """What a certificate says it is for."""

    QWAC = "qwac"
    QSEAL = "qseal"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Psd2Certificate:
    """One certificate. `sha256` is lower-case hex, `thumbprint` the `x5t#S256` of RFC 8705, names are RFC 4514."""

    x509: x509.Certificate
    der: bytes
    kind: CertificateKind
    statements: QcStatements
    authorisation_number: str | None
    organisation: str | None
    common_name: str | None
    dns_names: tuple[str, ...]
    serial: int
    not_before: datetime
    not_after: datetime
    sha256: str
    thumbprint: str
    subject: str
    issuer: str

    @property
    def roles(self) -> frozenset[PspRole]:
        """The PSP roles it grants; none without a PSD2 statement."""
        return self.statements.psd2.roles if self.statements.psd2 else frozenset()

    @property
    def nca_id(self) -> str | None:
        """The competent authority's identifier, `DE-BAFIN`."""
        return self.statements.psd2.nca_id if self.statements.psd2 else None

    @property
    def nca_name(self) -> str | None:
        """The competent authority's name."""
        return self.statements.psd2.nca_name if self.statements.psd2 else None

    @property
    def variants(self) -> tuple[str, ...]:
        """Malformed encodings its statements were read in spite of (`psd2.qualified.QcVariant`)."""
        return self.statements.variants


def parse_certificate(data: bytes) -> Psd2Certificate:
    """Read PEM (the first certificate of a bundle) or DER. Raises MalformedCertificate, nothing else."""
    if len(data) > MAX_CERTIFICATE_BYTES:
        raise MalformedCertificate(f"certificate: {len(data)} bytes, at most {MAX_CERTIFICATE_BYTES} are read")
    try:
        return _parsed(_load(data))
    except MalformedCertificate:
        raise
    except MalformedQcStatements as error:
        raise MalformedCertificate(str(error)) from error
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, *_STRUCTURE_FAULTS) as error:
        raise MalformedCertificate(f"certificate: neither PEM nor DER of an X.509 certificate: {error}") from error


def _load(data: bytes) -> x509.Certificate:
    # A DER certificate may hold the PEM mark in one of its names, so its own first two octets decide.
    is_der = data[:1] == b"\x30" and data[1:2] >= b"\x80"
    is_pem = not is_der and _PEM_MARK in data
    return x509.load_pem_x509_certificate(data) if is_pem else x509.load_der_x509_certificate(data)


def _parsed(certificate: x509.Certificate) -> Psd2Certificate:
    der = certificate.public_bytes(Encoding.DER)
    statements = _statements(certificate)
    return Psd2Certificate(
        x509=certificate,
        der=der,
        kind=_kind(statements),
        statements=statements,
        authorisation_number=_attribute(certificate, NameOID.ORGANIZATION_IDENTIFIER),
        organisation=_attribute(certificate, NameOID.ORGANIZATION_NAME),
        common_name=_attribute(certificate, NameOID.COMMON_NAME),
        dns_names=_dns_names(certificate),
        serial=certificate.serial_number,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        sha256=sha256_hex(der),
        thumbprint=x5t_s256(der),
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
    )


def _statements(certificate: x509.Certificate) -> QcStatements:
    try:
        extension = certificate.extensions.get_extension_for_oid(_QC_STATEMENTS)
    except x509.ExtensionNotFound:
        return QcStatements()
    value = extension.value
    return decode_qcstatements(value.value if isinstance(value, x509.UnrecognizedExtension) else value.public_bytes())


def _kind(statements: QcStatements) -> CertificateKind:
    """Tell by QcType; a certificate that claims both purposes is trusted for neither (EN 319 412-5 §4.2.3)."""
    purposes = statements.types & {QcType.WEB, QcType.ESEAL}
    if purposes == {QcType.WEB}:
        return CertificateKind.QWAC
    if purposes == {QcType.ESEAL}:
        return CertificateKind.QSEAL
    return CertificateKind.OTHER


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    """Read a subject attribute; one that stands there twice is refused, since nothing says which one is the TPP."""
    attributes = certificate.subject.get_attributes_for_oid(oid)
    if len(attributes) > 1:
        raise MalformedCertificate(
            f"certificate: the subject has {len(attributes)} attributes {oid.dotted_string}, one was expected"
        )
    return str(attributes[0].value) if attributes else None


def _dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.DNSName))


def require_qwac(certificate: Psd2Certificate) -> None:
    """Raise NotAQwac unless a TPP may present this certificate in TLS (TS 119 495 §5.3, EN 319 412-4 §4)."""
    fault = next(qwac_faults(certificate), None)
    if fault is not None:
        raise fault


def require_qsealc(certificate: Psd2Certificate) -> None:
    """Raise NotAQsealc unless a TPP may sign messages with this certificate (TS 119 495 §5.3, EN 319 412-3 §4)."""
    if certificate.kind is CertificateKind.QWAC:
        raise NotAQsealc("this is a QWAC: its QcType says website authentication, signing takes an electronic seal")
    if certificate.kind is not CertificateKind.QSEAL:
        raise NotAQsealc("the qcStatements do not say QcType eseal (EN 319 412-5 §4.2.3)")
    if certificate.statements.psd2 is None:
        raise NotAQsealc("the qcStatements hold no PSD2 statement (TS 119 495 §5.1)")
    if certificate.authorisation_number is None:
        raise NotAQsealc("the subject has no organizationIdentifier (TS 119 495 GEN-5.3-3)")
    extensions = certificate.x509.extensions
    constraints, usage = _optional(extensions, x509.BasicConstraints), _optional(extensions, x509.KeyUsage)
    if constraints is not None and constraints.ca:
        raise NotAQsealc("this is the certificate of a certificate authority")
    if usage is not None and not (usage.content_commitment or usage.digital_signature):
        raise NotAQsealc("keyUsage has neither nonRepudiation nor digitalSignature (EN 319 412-2 §4.3.2)")


def qwac_faults(certificate: Psd2Certificate) -> Iterator[NotAQwac]:
    """Yield every property of a QWAC that the certificate lacks; `require_qwac` raises the first."""
    yield from _statement_faults(certificate)
    if certificate.authorisation_number is None:
        yield NotAQwac(QwacFault.AUTHORISATION_NUMBER, "the subject has no organizationIdentifier (TS 119 495 GEN-5.3-3)")
    yield from _tls_faults(certificate.x509.extensions)


def _statement_faults(certificate: Psd2Certificate) -> Iterator[NotAQwac]:
    if certificate.kind is CertificateKind.QSEAL:
        reason = "this is a QSealC: its QcType says electronic seal, a TLS client needs website authentication"
        yield NotAQwac(QwacFault.QC_TYPE, reason)
    elif certificate.kind is not CertificateKind.QWAC:
        yield NotAQwac(QwacFault.QC_TYPE, "the qcStatements do not say QcType web (EN 319 412-5 §4.2.3)")
    if certificate.statements.psd2 is None:
        yield NotAQwac(QwacFault.PSD2_STATEMENT, "the qcStatements hold no PSD2 statement (TS 119 495 §5.1)")


def _tls_faults(extensions: x509.Extensions) -> Iterator[NotAQwac]:
    """Yield what keeps it from being an end-entity certificate of a TLS client."""
    constraints = _optional(extensions, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield NotAQwac(QwacFault.CERTIFICATE_AUTHORITY, "this is the certificate of a certificate authority")
    usage = _optional(extensions, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        yield NotAQwac(QwacFault.KEY_USAGE, "keyUsage lacks digitalSignature, which TLS needs (RFC 8446 §4.4.2.2)")
    purposes = _optional(extensions, x509.ExtendedKeyUsage)
    if purposes is None or ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        yield NotAQwac(QwacFault.EXTENDED_KEY_USAGE, "extendedKeyUsage lacks clientAuth (RFC 5280 §4.2.1.12)")


def _optional(extensions: x509.Extensions, type_: type[_Extension]) -> _Extension | None:
    try:
        return extensions.get_extension_for_class(type_).value
    except x509.ExtensionNotFound:
        return None
