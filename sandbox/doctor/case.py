"""What an examination starts from: the certificate as far as it can be read, and what a sandbox knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from psd2.certificates import CertificateKind, MalformedCertificate, Psd2Certificate, parse_certificate
from psd2.thumbprints import sha256_hex
from sandbox.ca.content import QC_STATEMENTS
from sandbox.ca.profiles import AuthorityName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from sandbox.ca.model import CertificateRecord
    from sandbox.doctor.model import Finding
    from sandbox.tpps.model import Tpp

# What reading a part of a strange certificate may raise.
UNREADABLE: Final = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
# The one authority that banks here trust for TPPs, as they trust issuing authorities on EU trusted lists.
TRUSTED_FOR_TPPS: Final = AuthorityName.TPP_ISSUING
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_TLS_PURPOSES: Final = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH})


@dataclass(frozen=True, slots=True)
class Specimen:
    """One certificate. Where `psd2` is None it can't be understood, `malformed` says why, and fields may raise UNREADABLE."""

    certificate: x509.Certificate
    der: bytes
    psd2: Psd2Certificate | None
    malformed: str | None
    extensions: tuple[x509.Extension[x509.ExtensionType], ...]

    def extension(self, type_: type[_Extension]) -> _Extension | None:
        """Return an extension's value."""
        return next((each.value for each in self.extensions if isinstance(each.value, type_)), None)

    @property
    def sha256(self) -> str:
        """Its fingerprint in lower-case hex."""
        return sha256_hex(self.der)

    @property
    def has_statements(self) -> bool:
        """Whether there are qcStatements at all."""
        return any(each.oid == QC_STATEMENTS for each in self.extensions)

    @property
    def is_seal(self) -> bool:
        """Whether it is meant for signing messages; one that claims a TLS purpose as well is judged as one for TLS."""
        purposes = self.extension(x509.ExtendedKeyUsage)
        is_for_tls = purposes is not None and not _TLS_PURPOSES.isdisjoint(purposes)
        return self.psd2 is not None and self.psd2.kind is CertificateKind.QSEAL and not is_for_tls


def specimen_of(certificate: x509.Certificate) -> Specimen:
    """Read a certificate as the gateway does, and as far as it goes where the gateway would give up."""
    der = certificate.public_bytes(Encoding.DER)
    try:
        psd2 = parse_certificate(der)
    except MalformedCertificate as error:
        return Specimen(certificate, der, psd2=None, malformed=str(error), extensions=_extensions(certificate))
    return Specimen(certificate, der, psd2=psd2, malformed=None, extensions=tuple(psd2.x509.extensions))


def _extensions(certificate: x509.Certificate) -> tuple[x509.Extension[x509.ExtensionType], ...]:
    try:
        return tuple(certificate.extensions)
    except UNREADABLE:
        return ()


@dataclass(frozen=True, slots=True)
class History:
    """What a sandbox's database says: of this very certificate, and of the TPP whose number it holds."""

    record: CertificateRecord | None
    tpp: Tpp | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a sandbox knows; None where there is none to ask."""

    authorities: Mapping[AuthorityName, x509.Certificate] | None = None
    history: History | None = None


class Standing(Enum):
    """How a certificate's issuer stands with the sandbox."""

    TRUSTED = auto()
    OURS = auto()  # an authority of this sandbox that vouches for no TPP
    ITSELF = auto()
    NAMESAKE = auto()  # the name of one of our authorities, and somebody else's signature
    STRANGER = auto()
    UNKNOWN = auto()  # no sandbox at hand


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that an examination rests on."""

    specimen: Specimen
    surroundings: Surroundings
    now: datetime

    @property
    def record(self) -> CertificateRecord | None:
        """What the sandbox has written down of the certificate."""
        return self.surroundings.history.record if self.surroundings.history else None

    @property
    def tpp(self) -> Tpp | None:
        """The registered TPP whose number the certificate holds."""
        return self.surroundings.history.tpp if self.surroundings.history else None

    def command(self, verb: str) -> str:
        """Write the command that would put things right, as one would type it."""
        record, tpp = self.record, self.tpp
        name = tpp.name if tpp else (record.tpp if record else None)
        kind = " --kind qseal" if self.specimen.is_seal else ""
        return f"`sandbox cert {verb} {name or 'NAME'}{kind}`"

    def issuer(self) -> tuple[Standing, AuthorityName | None]:
        """Tell who issued the certificate, and which of our authorities that was. Raises UNREADABLE."""
        certificate = self.specimen.certificate
        itself = has_issued(certificate, certificate)
        if self.surroundings.authorities is None:
            return (Standing.ITSELF if itself else Standing.UNKNOWN), None
        for name, authority in self.surroundings.authorities.items():
            if has_issued(authority, certificate):
                if name is TRUSTED_FOR_TPPS:
                    return Standing.TRUSTED, name
                return (Standing.ITSELF if itself else Standing.OURS), name
        if itself:
            return Standing.ITSELF, None
        names = {authority.subject for authority in self.surroundings.authorities.values()}
        return (Standing.NAMESAKE if certificate.issuer in names else Standing.STRANGER), None


if TYPE_CHECKING:
    Check = Callable[[Case, Psd2Certificate], Iterator[Finding]]


def has_issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Answer whether the name and the signature are this authority's."""
    if authority.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
