"""What an examination comes to: fields in plain words, findings with their clause, and what the gateway would answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from psd2.certificates import CertificateKind
    from sandbox.ca.faults import Refusal


class NotExaminable(ValueError):
    """Bytes that hold no certificate; the message says what they are, and never shows them."""


class Level(StrEnum):
    """How much a finding matters."""

    FAULT = "fault"  # keeps the certificate from what it is for
    DEPARTURE = "departure"  # against a standard, and accepted by this gateway
    NOTE = "note"  # worth knowing


class FindingCode(StrEnum):
    """What is found, by a name that stays."""

    MALFORMED = "malformed"
    ISSUER = "issuer"
    CLIENT_PURPOSE = "extended_key_usage.client_auth"
    EXPIRED = "validity.expired"
    NOT_YET_VALID = "validity.future"
    EXPIRES_SOON = "validity.soon"
    CRITICAL_EXTENSION = "extensions.critical"
    AUTHORITY = "basic_constraints.ca"
    ISSUER_KEY_ID = "authority_key_identifier"
    SIGNATURE = "signature"
    CHAIN = "chain"
    REVOKED = "revoked"
    IS_SEAL = "qc.seal"
    QC_MISSING = "qc.missing"
    QC_TYPE = "qc.type"
    QC_PSD2 = "qc.psd2"
    QC_COMPLIANCE = "qc.compliance"
    QC_SSCD = "qc.sscd"
    NUMBER_MISSING = "organization_identifier.missing"
    NUMBER_FORM = "organization_identifier.form"
    KEY_USAGE = "key_usage"
    PURPOSE_MISSING = "extended_key_usage.missing"
    TPP_UNKNOWN = "tpp.unknown"
    TPP_BLOCKED = "tpp.blocked"
    ROLES = "roles"
    ROLE_MISSING = "roles.missing"
    ROLE_UNREGISTERED = "roles.unregistered"
    NCA_MISMATCH = "nca.mismatch"
    NCA_FORM = "nca.form"
    NCA_UNKNOWN = "nca.unknown"
    NCA_NAME = "nca.name"
    SUBJECT = "subject"
    ALTERNATIVE_NAMES = "subject_alternative_names"
    REVOCATION_ADDRESS = "revocation_address"
    ISSUER_ADDRESS = "issuer_address"
    POLICY = "policy"
    KEY = "key"
    FLAT_ROLES = "encoding.flat-roles"
    UNWRAPPED = "encoding.unwrapped"
    EMPTY_VALUE = "encoding.empty-value"
    ROLE_NAME = "encoding.role-name"
    ROLE_UNKNOWN = "encoding.role-unknown"
    STRING_TYPE = "encoding.string-type"
    TEST_CERTIFICATE = "record.fault"
    PRIVATE_KEY = "file.private_key"
    ORDER = "file.order"


class Outcome(StrEnum):
    """What the certificate is good for."""

    ACCEPTED = "accepted"  # as a QWAC, by the gateway
    SOUND_SEAL = "sound-qseal"  # for signing messages; opens no connection
    REFUSED = "refused"


class Unchecked(StrEnum):
    """What an examination could not look at."""

    ISSUER = "issuer"
    RECORDS = "records"
    GATEWAY_STATE = "gateway_state"

    @property
    def text(self) -> str:
        """Say it in a sentence."""
        return _UNCHECKED[self]


_UNCHECKED = {
    Unchecked.ISSUER: "whether the gateway trusts the issuer: no sandbox's authorities were at hand",
    Unchecked.RECORDS: "whether it was revoked, and whether its TPP is registered: no sandbox's records were at hand",
    Unchecked.GATEWAY_STATE: "the gateway's own block list, and whether its revocation list is up to date",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the certificate: its values as they stand there, made printable, and what they mean."""

    name: str
    values: tuple[str, ...]
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found. `refusal` is what the gateway answers, to requests for `only_for` where that is given."""

    code: FindingCode
    level: Level
    text: str
    remedy: str
    clause: str = ""
    refusal: Refusal | None = None
    only_for: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All there is to say of one certificate; `findings` stand in the order in which the gateway judges."""

    title: str
    kind: CertificateKind
    is_seal: bool  # for signing messages: a QSealC that does not claim to be a TLS certificate
    sha256: str
    examined_at: datetime
    days_left: int  # negative once it has expired
    services: tuple[str, ...]  # whose role it grants, and the register with it
    fields: tuple[Field, ...]
    companions: tuple[Field, ...]  # what else the file holds
    findings: tuple[Finding, ...]
    unchecked: tuple[Unchecked, ...]

    @property
    def refusal(self) -> Refusal | None:
        """What the gateway answers whatever is asked for, when the certificate is presented in TLS."""
        everywhere = (finding.refusal for finding in self.findings if finding.refusal and finding.only_for is None)
        return next(everywhere, None)

    @property
    def outcome(self) -> Outcome:
        """Tell what the certificate is good for."""
        if self.refusal is None:
            return Outcome.ACCEPTED
        has_faults = any(finding.level is Level.FAULT for finding in self.findings)
        return Outcome.SOUND_SEAL if self.is_seal and not has_faults else Outcome.REFUSED

    @property
    def opens(self) -> tuple[str, ...]:
        """The services that it opens when it is presented in TLS."""
        return self.services if self.outcome is Outcome.ACCEPTED else ()
