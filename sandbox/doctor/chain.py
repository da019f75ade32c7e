"""Why no chain would verify from the certificate to the trusted authority (RFC 5280 §6.1).

What the certificate itself shows is named one by one; the rest is left to the verifier that the gateway uses too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from sandbox.ca.content import QC_STATEMENTS
from sandbox.doctor import refusals
from sandbox.doctor.case import TRUSTED_FOR_TPPS, UNREADABLE, Standing
from sandbox.doctor.intake import is_authority
from sandbox.doctor.model import Finding, FindingCode, Level
from sandbox.doctor.refusals import REFUSALS
from sandbox.doctor.words import listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psd2.certificates import Psd2Certificate
    from sandbox.doctor.case import Case

_MAX_CHAIN_DEPTH: Final = 3
_LEAST_RSA_BITS: Final = 2048
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"})
_STRONG_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
# What may be critical in an end-entity certificate, because every verifier understands it.
_UNDERSTOOD: Final = frozenset(
    {
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.BasicConstraints.oid,
        x509.SubjectAlternativeName.oid,
        x509.NameConstraints.oid,
    },
)


def chain_findings(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    """Yield what keeps the chain from verifying."""
    found = [*_key(case), *_authority(case), *_critical(case), *_issuer_key(case), *_signature(case)]
    yield from found
    if not found:
        yield from _verified(case, certificate)


def _fault(code: FindingCode, text: str, *, right: str, clause: str) -> Finding:
    return Finding(code=code, level=Level.FAULT, text=text, remedy=right, clause=clause, refusal=REFUSALS[refusals.CHAIN])


def _key(case: Case) -> Iterator[Finding]:
    text = _weakness(case.specimen.certificate)
    if text is not None:
        yield _fault(
            FindingCode.KEY,
            text,
            right="EC on P-256, P-384 or P-521, or RSA with 2048 bits or more",
            clause="TS 119 312 §6.2",
        )


def _weakness(certificate: x509.Certificate) -> str | None:
    try:
        key = certificate.public_key()
    except UNREADABLE as error:
        return f"its key can't be used: {shown(str(error))}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"its RSA key has {key.key_size} bits only" if key.key_size < _LEAST_RSA_BITS else None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"its key is on the curve {key.curve.name}" if key.curve.name not in _CURVES else None
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return None
    return f"its key is of a kind that is not taken: {type(key).__name__}"


def _authority(case: Case) -> Iterator[Finding]:
    usage = case.specimen.extension(x509.KeyUsage)
    if is_authority(case.specimen.certificate):
        text = "it is the certificate of a certificate authority, which signs certificates and opens no connection"
    elif usage is not None and usage.key_cert_sign:
        text = "its keyUsage has keyCertSign, which is for authorities only"
    else:
        return
    yield _fault(
        FindingCode.AUTHORITY,
        text,
        right="an end-entity certificate: basicConstraints without CA, keyUsage without keyCertSign",
        clause="RFC 5280 §4.2.1.3, §4.2.1.9",
    )


def _critical(case: Case) -> Iterator[Finding]:
    oids = [each.oid for each in case.specimen.extensions if each.critical and each.oid not in _UNDERSTOOD]
    if QC_STATEMENTS in oids:
        yield _fault(
            FindingCode.CRITICAL_EXTENSION,
            "its qcStatements are critical, so that software that does not know them must refuse it",
            right="qcStatements that are not critical",
            clause="EN 319 412-5 §4.1, RFC 5280 §4.2",
        )
    others = [oid.dotted_string for oid in oids if oid != QC_STATEMENTS]
    if others:
        yield _fault(
            FindingCode.CRITICAL_EXTENSION,
            f"it has critical extensions that are not understood here: {listed(others)}",
            right="extensions beyond the profile that are not critical",
            clause="RFC 5280 §4.2",
        )


def _issuer_key(case: Case) -> Iterator[Finding]:
    if case.specimen.extension(x509.AuthorityKeyIdentifier) is None:
        yield _fault(
            FindingCode.ISSUER_KEY_ID,
            "it has no authorityKeyIdentifier: nothing tells which key of its issuer has signed it",
            right="an authorityKeyIdentifier with the issuer's key identifier",
            clause="RFC 5280 §4.2.1.1",
        )


def _signature(case: Case) -> Iterator[Finding]:
    try:
        algorithm = case.specimen.certificate.signature_hash_algorithm
    except UNREADABLE:
        algorithm = None
    if not isinstance(algorithm, _STRONG_HASHES):
        oid = case.specimen.certificate.signature_algorithm_oid.dotted_string
        yield _fault(
            FindingCode.SIGNATURE,
            f"it is signed with {algorithm.name if algorithm else 'an algorithm'} ({oid}) that is not accepted",
            right="ECDSA or RSA with SHA-256, SHA-384 or SHA-512",
            clause="TS 119 312 §7",
        )


def _verified(case: Case, certificate: Psd2Certificate) -> Iterator[Finding]:
    """Ask the verifier, where the issuer is trusted and nothing stands in the way that has been named before."""
    if case.issuer()[0] is not Standing.TRUSTED or not _is_for_clients(case) or case.surroundings.authorities is None:
        return
    # A certificate out of its time is told so by itself: here it is the rest that counts.
    at = min(max(case.now, certificate.not_before), certificate.not_after)
    reason = _broken(certificate.x509, case.surroundings.authorities[TRUSTED_FOR_TPPS], at)
    if reason is not None:
        yield _fault(
            FindingCode.CHAIN,
            f"its chain to the trusted authority does not verify: {shown(reason)}",
            right="a certificate that keeps to RFC 5280 and lives within its issuer's life",
            clause="RFC 5280 §6.1",
        )


def _is_for_clients(case: Case) -> bool:
    purposes = case.specimen.extension(x509.ExtendedKeyUsage)
    return purposes is None or ExtendedKeyUsageOID.CLIENT_AUTH in purposes


def _broken(leaf: x509.Certificate, anchor: x509.Certificate, at: datetime) -> str | None:
    """Return why the chain does not verify; the policy is the gateway's."""
    policy = ExtensionPolicy.webpki_defaults_ee().may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    try:
        (
            PolicyBuilder()
            .store(Store([anchor]))
            .time(at)
            .max_chain_depth(_MAX_CHAIN_DEPTH)
            .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=policy)
            .build_client_verifier()
            .verify(leaf, [])
        )
    except (VerificationError, ValueError, UnsupportedAlgorithm) as error:
        # The rest of the message repeats the certificate's names.
        return str(error).partition(" (encountered processing")[0]
    return None
