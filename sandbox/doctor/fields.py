"""The certificate's own fields in plain words: who, by whom, how long, over which key (RFC 5280 §4.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber
from psd2.certificates import CertificateKind
from psd2.ncas import NCAS
from psd2.thumbprints import x5t_s256
from sandbox.ca.model import CertificateStatus, serial_text
from sandbox.doctor.case import UNREADABLE, Standing
from sandbox.doctor.extension_fields import EXTENSION_FIELDS
from sandbox.doctor.intake import is_authority
from sandbox.doctor.model import Field
from sandbox.doctor.statement_fields import STATEMENT_FIELDS
from sandbox.doctor.words import SIGNATURES, name_text, shown, span_text, time_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509

    from sandbox.doctor.case import Case

    Describe = Callable[[Case], Field | None]


def fields_of(case: Case) -> tuple[Field, ...]:
    """Describe every field that the certificate has; one that can't be read says so."""
    described = (_described(name, describe, case) for name, describe in _FIELDS.items())
    return tuple(field for field in described if field is not None)


def _described(name: str, describe: Describe, case: Case) -> Field | None:
    try:
        return describe(case)
    except UNREADABLE as error:
        return Field(name, (), f"can't be read: {shown(str(error))}")


def title_of(case: Case) -> str:
    """Name the certificate: what it is, and whose."""
    kind = kind_text(case)
    psd2 = case.specimen.psd2
    if psd2 is None:
        return f"{kind} that can't be read"
    holder = psd2.organisation or psd2.common_name
    number = f", {shown(psd2.authorisation_number)}" if psd2.authorisation_number else ""
    return f"{kind} of {shown(holder)}{number}" if holder else f"{kind}{number}"


def kind_text(case: Case) -> str:
    """Name the kind of certificate."""
    psd2 = case.specimen.psd2
    if is_authority(case.specimen.certificate):
        return "authority's certificate"
    if psd2 is None or psd2.kind is CertificateKind.OTHER:
        return "certificate"
    return "QWAC" if psd2.kind is CertificateKind.QWAC else "QSealC"


def _subject(case: Case) -> Field:
    subject = case.specimen.certificate.subject
    organisation, country = _attribute(subject, NameOID.ORGANIZATION_NAME), _attribute(subject, NameOID.COUNTRY_NAME)
    who = organisation or "a holder without organisation"
    return Field("subject", (name_text(subject),), f"{who}, established in {country}" if country else who)


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    attributes = name.get_attributes_for_oid(oid)
    return shown(str(attributes[0].value)) if attributes else None


def _number(case: Case) -> Field | None:
    attributes = case.specimen.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    if not attributes:
        return None
    numbers = tuple(str(attribute.value) for attribute in attributes)
    return Field("organizationIdentifier", tuple(map(shown, numbers)), _number_meaning(numbers[0]))


def _number_meaning(text: str) -> str:
    try:
        number = AuthorisationNumber.parse(text)
    except InvalidAuthorisationNumber:
        return "no authorisation number of PSD2"
    nca = NCAS.get(number.nca_id)
    name = f" ({nca.name})" if nca else ""
    return (
        f"the TPP's identity: licensed in {number.country} by the authority {number.nca}{name}, "
        f"which knows it as {number.identifier}"
    )


_ISSUERS: Final = {
    Standing.TRUSTED: "this sandbox's tpp-issuing authority, whom its gateway trusts",
    Standing.ITSELF: "itself: self-signed",
    Standing.NAMESAKE: "a namesake of an authority of this sandbox, with another key",
    Standing.STRANGER: "no authority of this sandbox",
}


def _issuer(case: Case) -> Field:
    standing, name = case.issuer()
    meaning = f"this sandbox's {name} authority" if standing is Standing.OURS else _ISSUERS.get(standing, "")
    return Field("issuer", (name_text(case.specimen.certificate.issuer),), meaning)


def _serial(case: Case) -> Field:
    meaning = "by this number revocation lists and `sandbox cert revoke --serial` know it"
    return Field("serialNumber", (serial_text(case.specimen.certificate.serial_number),), meaning)


def _validity(case: Case) -> Field:
    start, end = case.specimen.certificate.not_valid_before_utc, case.specimen.certificate.not_valid_after_utc
    if case.now < start:
        meaning = f"begins in {span_text(start - case.now)}"
    elif case.now > end:
        meaning = f"expired {span_text(case.now - end)} ago"
    else:
        meaning = f"{span_text(end - case.now)} left"
    return Field("validity", (f"from {time_text(start)}", f"to {time_text(end)}"), meaning)


def days_left(case: Case) -> int:
    """Count the whole days until it expires; negative once it has."""
    return (case.specimen.certificate.not_valid_after_utc - case.now) // timedelta(days=1)


def _key(case: Case) -> Field:
    key = case.specimen.certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        value = f"EC, {key.curve.name}, {key.key_size} bits"
    elif isinstance(key, rsa.RSAPublicKey):
        value = f"RSA, {key.key_size} bits"
    else:
        value = type(key).__name__.removesuffix("PublicKey")
    return Field("public key", (value,), "whoever presents the certificate proves to hold the private half")


def _signature(case: Case) -> Field:
    oid = case.specimen.certificate.signature_algorithm_oid.dotted_string
    meaning = SIGNATURES.get(oid, "an algorithm that is not accepted")
    return Field("signature", (oid,), f"its issuer signed it: {meaning}")


def _sha256(case: Case) -> Field:
    return Field("SHA-256", (case.specimen.sha256,), "its fingerprint, by which block lists name it")


def _thumbprint(case: Case) -> Field:
    meaning = "the same in base64url: access tokens are bound to it (RFC 8705 §3.1)"
    return Field("x5t#S256", (x5t_s256(case.specimen.der),), meaning)


def _record(case: Case) -> Field | None:
    if case.surroundings.history is None:
        return None
    record = case.record
    if record is None:
        return Field("sandbox's record", ("none",), "this sandbox has not issued it, or was reset since")
    status = record.status.value
    if record.status is CertificateStatus.REVOKED and record.revoked_at is not None:
        status = f"revoked at {time_text(record.revoked_at)}, reason {record.reason or 'unspecified'}"
    issued = f"issued at {time_text(record.issued_at)}" + (f" to {record.tpp}" if record.tpp else "")
    return Field("sandbox's record", (status,), issued + (f", with the fault {record.fault}" if record.fault else ""))


_FIELDS: Final[dict[str, Describe]] = {
    "subject": _subject,
    "organizationIdentifier": _number,
    "issuer": _issuer,
    "serialNumber": _serial,
    "validity": _validity,
    "public key": _key,
    "signature": _signature,
    **EXTENSION_FIELDS,
    **STATEMENT_FIELDS,
    "SHA-256": _sha256,
    "x5t#S256": _thumbprint,
    "sandbox's record": _record,
}
