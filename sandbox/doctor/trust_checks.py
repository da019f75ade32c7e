"""What the gateway would object to in the certificate itself, in its order: issuer, purpose, time, chain, revocation, QWAC.

The gateway decides by itself (gateway/trust/judgement.py); this foretells it from what is known here, and
tests/integration/test_doctor_foretells.py holds the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from psd2.certificates import QwacFault, qwac_faults
from sandbox.ca.model import CertificateStatus
from sandbox.doctor import refusals
from sandbox.doctor.case import Standing
from sandbox.doctor.chain import chain_findings
from sandbox.doctor.model import Finding, FindingCode, Level
from sandbox.doctor.refusals import REFUSALS
from sandbox.doctor.words import PURPOSES, listed, shown, span_text, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psd2.certificates import NotAQwac, Psd2Certificate
    from sandbox.doctor.case import Case, Check


def malformed(reason: str) -> Finding:
    """Say that the certificate can't be read, and why."""
    return Finding(
        code=FindingCode.MALFORMED,
        level=Level.FAULT,
        text=f"it can't be read: {shown(reason)}",
        remedy="a certificate encoded as the standards say: have it issued anew",
        clause="RFC 5280 §4.1, TS 119 495 §5.1",
        refusal=REFUSALS[refusals.MALFORMED],
    )


def _issuer(case: Case, _certificate: Psd2Certificate) -> Iterator[Finding]:
    standing, name = case.issuer()
    text = {
        Standing.ITSELF: "it is self-signed: nobody vouches for it",
        Standing.OURS: f"it was issued by this sandbox's {name} authority, which vouches for no TPP",
        Standing.NAMESAKE: "its issuer has the name of an authority of this sandbox, but another key: it is from another "
        "sandbox, or from before the authorities were made anew",
        Standing.STRANGER: "its issuer is no authority of this sandbox",
    }.get(standing)
    if text is not None:
        yield Finding(
            code=FindingCode.ISSUER,
            level=Level.FAULT,
            text=text,
            remedy=f"a certificate that this sandbox's tpp-issuing authority has issued: {case.command('issue')}",
            clause="RFC 5280 §6.1, TS 119 495 §5.2",
            refusal=REFUSALS[refusals.UNTRUSTED],
        )


def _client_purpose(case: Case, _certificate: Psd2Certificate) -> Iterator[Finding]:
    purposes = case.specimen.extension(x509.ExtendedKeyUsage)
    if purposes is None or ExtendedKeyUsageOID.CLIENT_AUTH in purposes:
        return
    found = listed(PURPOSES.get(oid, (oid.dotted_string, ""))[0] for oid in purposes)
    yield Finding(
        code=FindingCode.CLIENT_PURPOSE,
        level=Level.NOTE if case.specimen.is_seal else Level.FAULT,
        text=f"its extendedKeyUsage names {found}, not clientAuth: a TLS client may not present it",
        remedy="extendedKeyUsage with clientAuth (a QWAC has clientAuth and serverAuth)",
        clause="RFC 5280 §4.2.1.12, EN 319 412-4 §4.1.3",
        refusal=REFUSALS[refusals.EKU],
    )


def _time(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    if case.now < certificate.not_before:
        yield Finding(
            code=FindingCode.NOT_YET_VALID,
            level=Level.FAULT,
            text=f"it is not valid yet: it begins at {time_text(certificate.not_before)}, "
            f"in {span_text(certificate.not_before - case.now)}",
            remedy="a notBefore that has passed: wait, or look at the clock of the machine that issued it",
            clause="RFC 5280 §4.1.2.5",
            refusal=REFUSALS[refusals.NOT_YET_VALID],
        )
    elif case.now > certificate.not_after:  # notAfter itself is inside (RFC 5280 §4.1.2.5)
        yield Finding(
            code=FindingCode.EXPIRED,
            level=Level.FAULT,
            text=f"it expired at {time_text(certificate.not_after)}, {span_text(case.now - certificate.not_after)} ago",
            remedy=f"a certificate that is valid now: {case.command('renew')}",
            clause="RFC 5280 §4.1.2.5",
            refusal=REFUSALS[refusals.EXPIRED],
        )


def _revocation(case: Case, _certificate: Psd2Certificate) -> Iterator[Finding]:
    record = case.record
    if record is None or record.status is not CertificateStatus.REVOKED:
        return
    when = f" at {time_text(record.revoked_at)}" if record.revoked_at else ""
    yield Finding(
        code=FindingCode.REVOKED,
        level=Level.FAULT,
        text=f"it was revoked{when}, reason {record.reason or 'unspecified'}",
        remedy=f"another certificate, since nothing comes back from revocation: {case.command('issue')}",
        clause="RFC 5280 §5.3.1, §6.3",
        refusal=REFUSALS[refusals.REVOKED],
    )


_QWAC_CODES: Final = {
    QwacFault.QC_TYPE: FindingCode.QC_TYPE,
    QwacFault.PSD2_STATEMENT: FindingCode.QC_PSD2,
    QwacFault.AUTHORISATION_NUMBER: FindingCode.NUMBER_MISSING,
    QwacFault.KEY_USAGE: FindingCode.KEY_USAGE,
    QwacFault.EXTENDED_KEY_USAGE: FindingCode.PURPOSE_MISSING,
}
_RIGHT: Final = {
    FindingCode.QC_MISSING: ("qcStatements with QcCompliance, QcType web and the PSD2 statement", "TS 119 495 §5.1"),
    FindingCode.QC_TYPE: ("QcType web (0.4.0.1862.1.6.3) and no other", "EN 319 412-5 §4.2.3"),
    FindingCode.QC_PSD2: ("the statement 0.4.0.19495.2 with roles, NCAName and NCAId", "TS 119 495 §5.1"),
    FindingCode.NUMBER_MISSING: (
        "the authorisation number as organizationIdentifier, such as PSDDE-BAFIN-123456",
        "TS 119 495 §5.2.1, GEN-5.3-3",
    ),
    FindingCode.KEY_USAGE: ("keyUsage digitalSignature", "EN 319 412-2 §4.3.2, RFC 8446 §4.4.2.2"),
    FindingCode.PURPOSE_MISSING: ("extendedKeyUsage with clientAuth and serverAuth", "EN 319 412-4 §4.1.3"),
}


def _qwac(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    if case.specimen.is_seal:
        yield Finding(
            code=FindingCode.IS_SEAL,
            level=Level.NOTE,
            text="it is a QSealC: it signs messages and opens no connection",
            remedy="present the QWAC in TLS (qwac.crt with qwac.key)",
            clause="EN 319 412-5 §4.2.3, RTS (EU) 2018/389 Art. 34",
            refusal=REFUSALS[refusals.NOT_A_QWAC],
        )
        return
    for code, text in _qwac_objections(case, qwac_faults(certificate)):
        right, clause = _RIGHT[code]
        yield Finding(
            code=code, level=Level.FAULT, text=text, remedy=right, clause=clause, refusal=REFUSALS[refusals.NOT_A_QWAC]
        )


def _qwac_objections(case: Case, faults: Iterator[NotAQwac]) -> Iterator[tuple[FindingCode, str]]:
    """Name each once: without statements there is no use in listing what they lack, nor twice what came before."""
    has_statements = case.specimen.has_statements
    if not has_statements:
        yield FindingCode.QC_MISSING, "it has no qcStatements: an ordinary certificate, not a qualified one"
    for error in faults:
        is_named = error.fault in {QwacFault.QC_TYPE, QwacFault.PSD2_STATEMENT} and not has_statements
        is_wrong_purpose = error.fault is QwacFault.EXTENDED_KEY_USAGE and case.specimen.extension(x509.ExtendedKeyUsage)
        if not is_named and not is_wrong_purpose and error.fault is not QwacFault.CERTIFICATE_AUTHORITY:
            yield _QWAC_CODES[error.fault], error.reason


def _seal(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    """Yield what keeps a QSealC from sealing; the gateway has refused it in TLS already, for being one."""
    if not case.specimen.is_seal:
        return
    usage = case.specimen.extension(x509.KeyUsage)
    lacking = {
        FindingCode.NUMBER_MISSING: ("its subject has no organizationIdentifier", certificate.authorisation_number is None),
        FindingCode.QC_PSD2: ("its qcStatements hold no PSD2 statement", certificate.statements.psd2 is None),
    }
    for code, (text, is_lacking) in lacking.items():
        if is_lacking:
            right, clause = _RIGHT[code]
            yield Finding(code=code, level=Level.FAULT, text=text, remedy=right, clause=clause)
    if usage is not None and not usage.content_commitment and not usage.digital_signature:
        yield Finding(
            code=FindingCode.KEY_USAGE,
            level=Level.FAULT,
            text="its keyUsage has neither contentCommitment nor digitalSignature, so it may sign nothing",
            remedy="keyUsage contentCommitment",
            clause="EN 319 412-3 §4.3.1, EN 319 412-2 §4.3.2",
        )


TRUST_CHECKS: Final[tuple[Check, ...]] = (_issuer, _client_purpose, _time, chain_findings, _revocation, _qwac, _seal)
