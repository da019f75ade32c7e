"""Own lints: whether a rehearsed certificate is exactly what its profile and the register ask for.

Each lint is one function and yields findings; the caller compares them with what it expects, which is nothing for a
right certificate and the one intended finding for a test certificate with a fault.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from psd2.qcstatements import decode_qcstatements, encode_qcstatements
from psd2.qualified import MalformedQcStatements, QcStatements
from sandbox.ca.content import PURPOSE_OIDS, QC_STATEMENTS, certificate_extensions
from sandbox.ca.keys import KeyRefused, key_sha256, require_sound_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta

    from sandbox.ca.content import Content
    from sandbox.ca.keys import KeyRules, PublicKey

_SERIAL_BITS_MIN: Final = 64  # CA/B Forum BR §7.1: 64 bits of randomness
_SERIAL_BITS_MAX: Final = 159  # RFC 5280 §4.1.2.2: positive, 20 octets
_STRONG_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_CRITICAL: Final = frozenset({x509.BasicConstraints.oid, x509.KeyUsage.oid})  # RFC 5280 §4.2.1.3, §4.2.1.9

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


class LintCode(StrEnum):
    """What a lint looks at."""

    SERIAL = "serial"
    VALIDITY_EXPIRED = "validity.expired"
    VALIDITY_FUTURE = "validity.future"
    VALIDITY_PERIOD = "validity.period"
    VALIDITY_WITHIN_ISSUER = "validity.within_issuer"
    ISSUER = "issuer"
    SUBJECT = "subject"
    KEY = "key"
    KEY_USAGE = "key_usage"
    EXTENDED_KEY_USAGE = "extended_key_usage"
    ALTERNATIVE_NAMES = "subject_alternative_names"
    EXTENSIONS = "extensions"
    QC_MISSING = "qc.missing"
    QC_ENCODING = "qc.encoding"
    QC_TYPE = "qc.type"
    QC_ROLES = "qc.roles"
    QC_CONTENT = "qc.content"
    SIGNATURE_HASH = "signature_hash"


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure from what was asked for."""

    code: LintCode
    text: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the certificate ought to be, and who ought to sign it; `issuer_life` is None for a root."""

    content: Content
    statements: QcStatements | None
    issuer_name: x509.Name
    issuer_key: PublicKey
    issuer_life: tuple[datetime, datetime] | None
    longest: timedelta
    now: datetime
    key_rules: KeyRules


def lint(certificate: x509.Certificate, expected: Expectation) -> tuple[Finding, ...]:
    """Run every lint over `certificate`."""
    try:
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension) as error:
        return (Finding(LintCode.EXTENSIONS, f"cannot be read: {error}"),)
    return tuple(
        finding
        for finding_of in _LINTS
        for finding in finding_of(_Subject(certificate=certificate, extensions=extensions), expected)
    )


@dataclass(frozen=True, slots=True)
class _Subject:
    certificate: x509.Certificate
    extensions: x509.Extensions


def _serial(subject: _Subject, _expected: Expectation) -> Iterator[Finding]:
    bits = subject.certificate.serial_number.bit_length()
    if not _SERIAL_BITS_MIN <= bits <= _SERIAL_BITS_MAX or subject.certificate.serial_number < 0:
        yield Finding(LintCode.SERIAL, f"{bits} bits, {_SERIAL_BITS_MIN} to {_SERIAL_BITS_MAX} are expected")


def _validity(subject: _Subject, expected: Expectation) -> Iterator[Finding]:
    start, end = subject.certificate.not_valid_before_utc, subject.certificate.not_valid_after_utc
    if end <= expected.now:
        yield Finding(LintCode.VALIDITY_EXPIRED, f"expired at {end.isoformat()}")
    if start > expected.now:
        yield Finding(LintCode.VALIDITY_FUTURE, f"not valid before {start.isoformat()}")
    if not start < end or end - start > expected.longest:
        yield Finding(LintCode.VALIDITY_PERIOD, f"lives {end - start}, the profile allows {expected.longest}")
    if expected.issuer_life and not expected.issuer_life[0] <= start < end <= expected.issuer_life[1]:
        yield Finding(LintCode.VALIDITY_WITHIN_ISSUER, "lives outside its issuer's life (RFC 5280 §6.1)")


def _issuer(subject: _Subject, expected: Expectation) -> Iterator[Finding]:
    named = _optional(subject.extensions, x509.AuthorityKeyIdentifier)
    right = x509.AuthorityKeyIdentifier.from_issuer_public_key(expected.issuer_key)
    if subject.certificate.issuer != expected.issuer_name or named != right:
        yield Finding(LintCode.ISSUER, f"issued by {subject.certificate.issuer.rfc4514_string()}")


def _names(subject: _Subject, expected: Expectation) -> Iterator[Finding]:
    if subject.certificate.subject != expected.content.subject:
        yield Finding(LintCode.SUBJECT, f"names {subject.certificate.subject.rfc4514_string()}")
    names = _optional(subject.extensions, x509.SubjectAlternativeName)
    dns = tuple(names.get_values_for_type(x509.DNSName)) if names else ()
    addresses = tuple(names.get_values_for_type(x509.IPAddress)) if names else ()
    if (dns, addresses) != (expected.content.dns_names, expected.content.ip_addresses):
        yield Finding(LintCode.ALTERNATIVE_NAMES, f"names {dns} {addresses}")


def _key(subject: _Subject, expected: Expectation) -> Iterator[Finding]:
    try:
        key = require_sound_key(subject.certificate.public_key(), expected.key_rules)
    except KeyRefused as error:
        yield Finding(LintCode.KEY, str(error))
        return
    if key_sha256(key) != key_sha256(expected.content.public_key):
        yield Finding(LintCode.KEY, "another key than the one asked for")
    identifier = _optional(subject.extensions, x509.SubjectKeyIdentifier)
    if identifier != x509.SubjectKeyIdentifier.from_public_key(key):
        yield Finding(LintCode.KEY, "the subject key identifier is another key's (RFC 5280 §4.2.1.2)")


def _usages(subject: _Subject, expected: Expectation) -> Iterator[Finding]:
    usage = _optional(subject.extensions, x509.KeyUsage)
    if usage != _expected_extensions(expected)[x509.KeyUsage.oid]:
        yield Finding(LintCode.KEY_USAGE, f"{usage}")
    purposes = _optional(subject.extensions, x509.ExtendedKeyUsage)
    wanted = {PURPOSE_OIDS[purpose] for purpose in expected.content.extended_key_usage}
    if set(purposes or ()) != wanted:
        yield Finding(LintCode.EXTENDED_KEY_USAGE, ", ".join(oid.dotted_string for oid in purposes or ()) or "none")


def _extensions(subject: _Subject, expected: Expectation) -> Iterator[Finding]:
    """Compare what no other lint compares, so that nothing may be there unseen."""
    right = _expected_extensions(expected)
    found = {extension.oid: extension.value for extension in subject.extensions}
    for oid in (right.keys() | found.keys()) - _COMPARED_ELSEWHERE:
        if right.get(oid) != found.get(oid):
            yield Finding(LintCode.EXTENSIONS, f"{oid.dotted_string} is not as the profile asks")
    for extension in subject.extensions:
        if extension.critical != (extension.oid in _CRITICAL):
            yield Finding(LintCode.EXTENSIONS, f"{extension.oid.dotted_string} has the wrong criticality")


_COMPARED_ELSEWHERE: Final = frozenset(
    {
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.SubjectKeyIdentifier.oid,
        x509.AuthorityKeyIdentifier.oid,
        x509.SubjectAlternativeName.oid,
        QC_STATEMENTS,
    },
)


def _statements(subject: _Subject, expected: Expectation) -> Iterator[Finding]:
    der = _qc_der(subject.extensions)
    if der is None or expected.statements is None:
        if der is None and expected.statements is not None:
            yield Finding(LintCode.QC_MISSING, "the qcStatements are missing (TS 119 495 §5.1)")
        if der is not None:
            yield Finding(LintCode.QC_CONTENT, "qcStatements on a certificate that is not qualified")
        return
    try:
        found = decode_qcstatements(der)
    except MalformedQcStatements as error:
        yield Finding(LintCode.QC_ENCODING, str(error))
        return
    yield from _compared(found, expected.statements, der)


def _compared(found: QcStatements, right: QcStatements, der: bytes) -> Iterator[Finding]:
    if found.variants or (found == right and encode_qcstatements(found) != der):
        yield Finding(LintCode.QC_ENCODING, f"not encoded as TS 119 495 §5 says: {', '.join(found.variants)}")
    if found.types != right.types:
        yield Finding(LintCode.QC_TYPE, f"QcType is {', '.join(sorted(found.types)) or 'missing'}")
    if _roles(found) != _roles(right):
        yield Finding(LintCode.QC_ROLES, f"the roles are {', '.join(sorted(_roles(found))) or 'missing'}")
    if _rest(found) != _rest(right):
        yield Finding(LintCode.QC_CONTENT, "compliance, disclosure statement or competent authority differ")


def _roles(statements: QcStatements) -> frozenset[str]:
    return frozenset(role.value for role in statements.psd2.roles) if statements.psd2 else frozenset()


def _rest(statements: QcStatements) -> QcStatements:
    psd2 = replace(statements.psd2, roles=frozenset()) if statements.psd2 else None
    return replace(statements, types=frozenset(), psd2=psd2, variants=())


def _signature(subject: _Subject, _expected: Expectation) -> Iterator[Finding]:
    algorithm = subject.certificate.signature_hash_algorithm
    if not isinstance(algorithm, _STRONG_HASHES):
        yield Finding(LintCode.SIGNATURE_HASH, f"signed with {algorithm.name if algorithm else 'an unknown hash'}")


_LINTS: Final[tuple[Callable[[_Subject, Expectation], Iterator[Finding]], ...]] = (
    _serial,
    _validity,
    _issuer,
    _names,
    _key,
    _usages,
    _extensions,
    _statements,
    _signature,
)


def _expected_extensions(expected: Expectation) -> dict[x509.ObjectIdentifier, x509.ExtensionType]:
    extensions = certificate_extensions(expected.content, issuer_key=expected.issuer_key)
    return {extension.oid: extension for extension, _critical in extensions}


def _qc_der(extensions: x509.Extensions) -> bytes | None:
    value = next((extension.value for extension in extensions if extension.oid == QC_STATEMENTS), None)
    return value.value if isinstance(value, x509.UnrecognizedExtension) else None


def _optional(extensions: x509.Extensions, type_: type[_Extension]) -> _Extension | None:
    try:
        return extensions.get_extension_for_class(type_).value
    except x509.ExtensionNotFound:
        return None
