"""Departures from the standards that this gateway accepts, and what is worth knowing beside them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from psd2.authorisation_number import AuthorisationNumber, InvalidAuthorisationNumber
from psd2.certificates import CertificateKind
from psd2.ncas import NCAS
from psd2.qc_variants import VARIANT_WORDS
from psd2.qualified import QcVariant
from sandbox.doctor.model import Finding, FindingCode, Level
from sandbox.doctor.words import SEAL_POLICIES, WEB_POLICIES, listed, shown, span_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psd2.certificates import Psd2Certificate
    from sandbox.doctor.case import Case, Check

_SOON: Final = timedelta(days=30)
_NCA_ID: Final = re.compile(r"[A-Z]{2}-[A-Z]{2,8}")  # TS 119 495 GEN-5.2.3-2
_SUBJECT: Final = {
    NameOID.COUNTRY_NAME: "countryName",
    NameOID.ORGANIZATION_NAME: "organizationName",
    NameOID.COMMON_NAME: "commonName",
}
_VARIANTS: Final = {
    QcVariant.FLAT_ROLES: FindingCode.FLAT_ROLES,
    QcVariant.UNWRAPPED: FindingCode.UNWRAPPED,
    QcVariant.EMPTY_VALUE: FindingCode.EMPTY_VALUE,
    QcVariant.ROLE_NAME: FindingCode.ROLE_NAME,
    QcVariant.ROLE_UNKNOWN: FindingCode.ROLE_UNKNOWN,
    QcVariant.STRING_TYPE: FindingCode.STRING_TYPE,
}


def _departure(code: FindingCode, text: str, *, right: str, clause: str) -> Finding:
    return Finding(code=code, level=Level.DEPARTURE, text=text, remedy=right, clause=clause)


def _note(code: FindingCode, text: str, *, right: str, clause: str = "") -> Finding:
    return Finding(code=code, level=Level.NOTE, text=text, remedy=right, clause=clause)


def _variants(_case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    for variant in certificate.variants:
        words = VARIANT_WORDS[QcVariant(variant)]
        yield _departure(_VARIANTS[QcVariant(variant)], words.text, right=words.right, clause=words.clause)


def _statements(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    if not case.specimen.has_statements:
        return
    if not certificate.statements.compliance:
        yield _departure(
            FindingCode.QC_COMPLIANCE,
            "its qcStatements do not say that it is a qualified certificate",
            right="the statement QcCompliance (0.4.0.1862.1.1)",
            clause="EN 319 412-5 §4.2.1, §5",
        )
    if certificate.statements.sscd and certificate.kind is CertificateKind.QWAC:
        yield _departure(
            FindingCode.QC_SSCD,
            "its qcStatements claim a secure signature device, which a certificate for websites has not",
            right="no QcSSCD in a QWAC",
            clause="EN 319 412-5 §5",
        )


def _subject(_case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    missing = [name for oid, name in _SUBJECT.items() if not certificate.x509.subject.get_attributes_for_oid(oid)]
    if missing:
        yield _departure(
            FindingCode.SUBJECT,
            f"its subject has no {listed(missing)}",
            right="countryName, organizationName, organizationIdentifier and commonName",
            clause="EN 319 412-3 §4.2.1",
        )


def _authority_of(certificate: Psd2Certificate) -> Iterator[Finding]:
    nca_id, name = certificate.nca_id or "", certificate.nca_name or ""
    if not _NCA_ID.fullmatch(nca_id):
        yield _departure(
            FindingCode.NCA_FORM,
            f"its NCAId {shown(nca_id)!r} is not of the form that the standard gives",
            right="country, hyphen, 2 to 8 capitals, such as DE-BAFIN",
            clause="TS 119 495 GEN-5.2.3-2",
        )
    elif nca_id not in NCAS:
        yield _note(
            FindingCode.NCA_UNKNOWN,
            f"its NCAId {nca_id} is on no list of competent authorities",
            right="an NCAId of the standard's annex",
            clause="TS 119 495 Annex D",
        )
    if not name.isascii():
        yield _departure(
            FindingCode.NCA_NAME,
            "its NCAName has letters that are not Latin",
            right="the name that the authority has given itself, in Latin letters",
            clause="TS 119 495 GEN-5.2.3-1",
        )


def _number(_case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    if certificate.statements.psd2 is not None:
        yield from _authority_of(certificate)
    if certificate.authorisation_number is None:
        return
    try:
        number = AuthorisationNumber.parse(certificate.authorisation_number)
    except InvalidAuthorisationNumber as error:
        yield _departure(
            FindingCode.NUMBER_FORM,
            f"its organizationIdentifier: {shown(str(error))}",
            right="PSDDE-BAFIN-123456, and in its letters and digits what the authority has given",
            clause="TS 119 495 GEN-5.2.1-3",
        )
        return
    if certificate.nca_id is not None and certificate.nca_id != number.nca_id:
        yield _departure(
            FindingCode.NCA_MISMATCH,
            f"its organizationIdentifier is of {number.nca_id}, its PSD2 statement of {shown(certificate.nca_id)}",
            right="one competent authority in both places",
            clause="TS 119 495 §5.2.1, §5.2.3",
        )


def _extensions(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    is_web = certificate.kind is CertificateKind.QWAC
    if is_web and not certificate.dns_names:
        yield _departure(
            FindingCode.ALTERNATIVE_NAMES,
            "its subjectAltName has no DNS name",
            right="the TPP's domain as a DNS name; nobody connects to it here, so nothing hangs on it",
            clause="EN 319 412-4 §4.1.3",
        )
    if case.specimen.extension(x509.KeyUsage) is None:
        yield _departure(
            FindingCode.KEY_USAGE,
            "it has no keyUsage, so its key could be used for anything",
            right="digitalSignature for a QWAC, contentCommitment for a QSealC",
            clause="EN 319 412-2 §4.3.2",
        )
    yield from _policy(case, certificate)


def _policy(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    right = SEAL_POLICIES if case.specimen.is_seal else WEB_POLICIES
    policies = case.specimen.extension(x509.CertificatePolicies)
    found = {policy.policy_identifier.dotted_string for policy in policies or ()}
    if certificate.kind is not CertificateKind.OTHER and found.isdisjoint(right):
        yield _departure(
            FindingCode.POLICY,
            "its certificatePolicies name no policy for qualified certificates of this kind",
            right=f"one of {', '.join(right)}",
            clause="EN 319 411-2 §5.3",
        )


def _addresses(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    if certificate.kind is CertificateKind.OTHER:
        return
    access = case.specimen.extension(x509.AuthorityInformationAccess)
    methods = {each.access_method for each in access or ()}
    has_list = case.specimen.extension(x509.CRLDistributionPoints) is not None
    if not has_list and AuthorityInformationAccessOID.OCSP not in methods:
        yield _departure(
            FindingCode.REVOCATION_ADDRESS,
            "it names neither a revocation list nor an OCSP responder",
            right="cRLDistributionPoints, or OCSP in authorityInfoAccess, over plain HTTP",
            clause="EN 319 412-2 §4.3.11, §4.4.1",
        )
    if AuthorityInformationAccessOID.CA_ISSUERS not in methods:
        yield _departure(
            FindingCode.ISSUER_ADDRESS,
            "it does not say where its issuer's certificate is",
            right="caIssuers in authorityInfoAccess",
            clause="EN 319 412-2 §4.4.1",
        )


def _notes(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    left = certificate.not_after - case.now
    if timedelta() <= left <= _SOON and case.now >= certificate.not_before:
        yield _note(
            FindingCode.EXPIRES_SOON,
            f"it expires in {span_text(left)}",
            right=f"renew it in time: {case.command('renew')}; the old one stays valid until it ends",
        )
    if case.record is not None and case.record.fault is not None:
        yield _note(
            FindingCode.TEST_CERTIFICATE,
            f"it is a test certificate, issued here with the fault {case.record.fault}",
            right="a certificate without --fault, for use",
        )


CONFORMITY_CHECKS: Final[tuple[Check, ...]] = (
    _variants,
    _statements,
    _subject,
    _number,
    _extensions,
    _addresses,
    _notes,
)
