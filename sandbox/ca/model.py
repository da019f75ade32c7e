"""What the certificate authority speaks of: TPPs as it certifies them, issued certificates, reasons of revocation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber
from psd2.qcstatements import MAX_NAME_LENGTH
from sandbox.ca.errors import SubjectRefused

if TYPE_CHECKING:
    from datetime import datetime

    from psd2.roles import PspRole

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_NCA_ID: Final = re.compile(r"[A-Z]{2}-[A-Z]{2,8}")  # TS 119 495 GEN-5.2.3-2
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_ATTRIBUTE: Final = 64  # RFC 5280 appendix A: ub-organization-name, ub-common-name


class TppCertificateKind(StrEnum):
    """What a TPP asks for."""

    QWAC = "qwac"  # presented in TLS
    QSEAL = "qseal"  # signs requests


class RevocationReason(StrEnum):
    """Reasons of RFC 5280 §5.3.1. Not here: certificateHold and removeFromCRL, since nothing comes back from revocation."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"
    AA_COMPROMISE = "aACompromise"


class CertificateStatus(StrEnum):
    """The one transition is from valid to revoked; that a certificate has expired is told by the clock."""

    VALID = "valid"
    REVOKED = "revoked"


class Fault(StrEnum):
    """Certificates wrong in exactly one way, issued on demand; `sandbox.ca.faults` tells what each is for."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"
    WRONG_ROLE = "wrong-role"
    WRONG_NAME = "wrong-name"
    UNKNOWN_ISSUER = "unknown-issuer"
    SELF_SIGNED = "self-signed"
    FLAT_ENCODED = "flat-encoded"
    MISSING_QC = "missing-qc"
    SHA1_SIGNED = "sha1-signed"
    QSEAL_AS_QWAC = "qseal-as-qwac"
    WRONG_EKU = "wrong-eku"


@dataclass(frozen=True, slots=True)
class TppSubject:
    """A TPP as the register knows it: everything that a certificate says of it. Raises SubjectRefused."""

    name: str  # the register's short name, never in the certificate
    organisation: str
    country: str
    authorisation_number: str
    roles: frozenset[PspRole]
    nca_id: str
    nca_name: str
    domain: str

    def __post_init__(self) -> None:
        """Refuse what no certificate can carry, field by field."""
        _require_text("organisation", self.organisation, longest=_MAX_ATTRIBUTE)
        _require_text("nca_name", self.nca_name, longest=MAX_NAME_LENGTH)
        if not self.name:
            raise SubjectRefused("name", "the register's short name is missing")
        if not _COUNTRY.fullmatch(self.country):
            raise SubjectRefused("country", f"{self.country!r} is no ISO 3166-1 code of two capitals")
        if not self.roles:
            raise SubjectRefused("roles", "at least one role is needed (TS 119 495 GEN-5.2.2-1)")
        if not self.nca_name.isascii():
            raise SubjectRefused("nca_name", "Latin letters only (TS 119 495 GEN-5.2.3-1)")
        _require_number(self.authorisation_number, self.nca_id)
        _require_domain(self.domain)


def _require_text(name: str, text: str, *, longest: int) -> None:
    if not 1 <= len(text) <= longest:
        raise SubjectRefused(name, f"1 to {longest} characters are needed, not {len(text)}")
    if not text.isprintable() or text != text.strip():
        raise SubjectRefused(name, "control characters, or spaces at an end, belong in no name")


def _require_number(number: str, nca_id: str) -> None:
    try:
        parsed = AuthorisationNumber.parse(number)
    except InvalidAuthorisationNumber as error:
        raise SubjectRefused("authorisation_number", str(error)) from error
    if not _NCA_ID.fullmatch(nca_id):
        raise SubjectRefused("nca_id", f"{nca_id!r} is not of the form DE-BAFIN (TS 119 495 GEN-5.2.3-2)")
    if parsed.nca_id != nca_id:
        raise SubjectRefused("nca_id", f"{nca_id!r} is not the authority of {number}, which is {parsed.nca_id!r}")


def _require_domain(domain: str) -> None:
    if len(domain) > _MAX_ATTRIBUTE:
        raise SubjectRefused("domain", f"at most {_MAX_ATTRIBUTE} characters: it becomes the common name")
    labels = domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004 - a name and its domain
        raise SubjectRefused("domain", f"{domain!r} is no DNS name in lower case, such as api.example.com")


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """What goes back to the TPP. Texts are PEM; `chain` holds the issuing authority, never the leaf.

    `private_key` is there only if it was made here; it is kept nowhere else. `notes` tell what was decided for the TPP,
    such as that the names in its signing request were ignored.
    """

    certificate: str
    chain: str
    private_key: str | None = field(repr=False)
    serial: str
    sha256: str
    not_before: datetime
    not_after: datetime
    kind: TppCertificateKind
    fault: Fault | None = None
    notes: tuple[str, ...] = ()

    @property
    def bundle(self) -> str:
        """The leaf and its chain, as a TLS client presents them."""
        return self.certificate + self.chain


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """One certificate in the authority's records. `serial` and hashes are lower-case hex, times aware UTC."""

    serial: str
    ca: str
    profile: str
    subject: str
    sha256: str
    key_sha256: str
    not_before: datetime
    not_after: datetime
    issued_at: datetime
    der: bytes = field(repr=False)
    tpp: str | None = None
    authorisation_number: str | None = None
    status: CertificateStatus = CertificateStatus.VALID
    reason: RevocationReason | None = None
    revoked_at: datetime | None = None
    fault: Fault | None = None
    replaces: str | None = None


def serial_text(serial: int) -> str:
    """Write a serial number as it stands in the records: lower-case hex, whole octets, as OpenSSL shows it."""
    digits = f"{serial:x}"
    return digits.zfill(len(digits) + len(digits) % 2)


def parse_serial(text: str) -> int | None:
    """Read a serial number in hex, with colons or capitals as tools print it; None if it is none (RFC 5280 §4.1.2.2)."""
    digits = text.replace(":", "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{1,40}", digits):
        return None
    return int(digits, 16)
