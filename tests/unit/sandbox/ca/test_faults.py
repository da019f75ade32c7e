"""Test certificates are wrong in exactly one way, say so, and are right in everything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from psd2.certificates import CertificateKind, Psd2Certificate, parse_certificate
from psd2.roles import PspRole
from sandbox.ca.content import COMMENT
from sandbox.ca.errors import FaultUnavailable
from sandbox.ca.faults import FAULTS
from sandbox.ca.model import CertificateStatus, Fault, TppCertificateKind
from tests.support.certificate_authority import NOW, PROFILES_FILE, TPP

if TYPE_CHECKING:
    from sandbox.ca.model import IssuedCertificate
    from sandbox.ca.service import CertificateAuthority

QWAC, QSEAL = TppCertificateKind.QWAC, TppCertificateKind.QSEAL
README = PROFILES_FILE.with_name("README.md")
MADE = [fault for fault in Fault if FAULTS[fault].unavailable is None]


def read(issued: IssuedCertificate) -> Psd2Certificate:
    return parse_certificate(issued.certificate.encode())


def anchor(authority: CertificateAuthority) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.tpp_trust_anchors()[0].encode())


def test_every_fault_is_described() -> None:
    assert set(FAULTS) == set(Fault)
    assert all(spec.shows for spec in FAULTS.values())


@pytest.mark.parametrize("fault", list(Fault))
def test_the_readme_tells_of_every_fault_and_its_refusal(fault: Fault) -> None:
    (row,) = [line for line in README.read_text().splitlines() if line.startswith(f"| `{fault}` |")]
    spec = FAULTS[fault]

    if spec.unavailable:
        assert "is not made" in row
    elif spec.refusal:
        assert f"{spec.refusal.status} `{spec.refusal.code}`" in row
    else:
        assert "nothing" in row


@pytest.mark.parametrize("fault", MADE)
def test_a_test_certificate_is_labelled_in_itself_and_on_record(authority: CertificateAuthority, fault: Fault) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=fault)

    label = next(extension.value for extension in read(issued).x509.extensions if extension.oid == COMMENT)
    assert isinstance(label, x509.UnrecognizedExtension)
    assert label.value[2:].decode() == f"PSD2 sandbox test certificate, fault: {fault}"
    assert issued.fault is fault
    assert authority.certificate(issued.serial).fault is fault


def test_a_right_certificate_has_no_label(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    assert COMMENT not in {extension.oid for extension in read(issued).x509.extensions}
    assert issued.fault is None


def facts(issued: IssuedCertificate, authority: CertificateAuthority) -> dict[str, object]:
    """List everything in a certificate that a fault may touch."""
    certificate = read(issued)
    extensions = certificate.x509.extensions
    purposes = [e.value for e in extensions if isinstance(e.value, x509.ExtendedKeyUsage)]
    return {
        "in time": certificate.not_before <= NOW < certificate.not_after,
        "revoked": authority.certificate(issued.serial).status is CertificateStatus.REVOKED,
        "roles": certificate.roles,
        "name": certificate.subject,
        "kind": certificate.kind,
        "purposes": [list(each) for each in purposes],
        "variants": certificate.variants,
        "statements": certificate.statements.psd2 is not None,
        "issuer": _is_signed_by(certificate.x509, anchor(authority)),
        "domain": certificate.dns_names,
    }


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, InvalidSignature):
        return False
    return True


_CLIENT, _SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
_UNREGISTERED = "CN=tpp.acme-payments.com,2.5.4.97=PSDDE-BAFIN-UNREGISTERED,O=Acme Payments GmbH,C=DE"
_WITHOUT_STATEMENTS = {"roles": frozenset(), "kind": CertificateKind.OTHER, "statements": False}


@pytest.mark.parametrize(
    ("fault", "touched"),
    [
        (Fault.EXPIRED, {"in time": False}),
        (Fault.NOT_YET_VALID, {"in time": False}),
        (Fault.REVOKED, {"revoked": True}),
        (Fault.WRONG_ROLE, {"roles": frozenset({PspRole.AS})}),
        (Fault.WRONG_NAME, {"name": _UNREGISTERED}),
        (Fault.UNKNOWN_ISSUER, {"issuer": False}),
        (Fault.SELF_SIGNED, {"issuer": False}),
        (Fault.FLAT_ENCODED, {"variants": ("flat-roles",)}),
        (Fault.MISSING_QC, _WITHOUT_STATEMENTS),
        (Fault.QSEAL_AS_QWAC, {"kind": CertificateKind.QSEAL}),
        (Fault.WRONG_EKU, {"purposes": [[_SERVER]]}),
    ],
)
def test_a_fault_touches_what_it_is_named_for_and_nothing_else(
    authority: CertificateAuthority, fault: Fault, touched: dict[str, object]
) -> None:
    right = facts(authority.issue_tpp_certificate(tpp=TPP, kind=QWAC), authority)

    wrong = facts(authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=fault), authority)

    assert {name: value for name, value in wrong.items() if value != right[name]} == touched


@pytest.mark.parametrize("fault", [fault for fault in MADE if QSEAL in FAULTS[fault].kinds])
def test_seals_have_the_faults_that_make_sense_for_them(authority: CertificateAuthority, fault: Fault) -> None:
    assert authority.issue_tpp_certificate(tpp=TPP, kind=QSEAL, fault=fault).kind is QSEAL


@pytest.mark.parametrize("fault", [Fault.QSEAL_AS_QWAC, Fault.WRONG_EKU])
def test_a_fault_that_makes_no_sense_for_a_seal_is_refused(authority: CertificateAuthority, fault: Fault) -> None:
    with pytest.raises(FaultUnavailable, match="makes no sense for a qseal, only for a qwac"):
        authority.issue_tpp_certificate(tpp=TPP, kind=QSEAL, fault=fault)


def test_an_expired_certificate_lived_within_its_issuers_life(authority: CertificateAuthority) -> None:
    """Otherwise a gateway might refuse it for its chain, and the fault would not show."""
    expired = read(authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=Fault.EXPIRED))

    assert anchor(authority).not_valid_before_utc < expired.not_before < expired.not_after < NOW


def test_a_certificate_not_yet_valid_will_be(authority: CertificateAuthority) -> None:
    later = read(authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=Fault.NOT_YET_VALID))

    assert NOW < later.not_before <= NOW + timedelta(days=7)
    assert later.not_after <= anchor(authority).not_valid_after_utc


def test_a_stranger_comes_with_a_chain_that_holds_and_that_nobody_trusts(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=Fault.UNKNOWN_ISSUER)

    leaf, stranger = x509.load_pem_x509_certificates(issued.bundle.encode())
    leaf.verify_directly_issued_by(stranger)
    assert stranger.subject != anchor(authority).subject


def test_a_self_signed_certificate_stands_alone(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=Fault.SELF_SIGNED)

    leaf = x509.load_pem_x509_certificate(issued.bundle.encode())
    leaf.verify_directly_issued_by(leaf)
    assert issued.chain == ""


def test_a_self_signed_certificate_needs_the_private_key(authority: CertificateAuthority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    request = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    with pytest.raises(FaultUnavailable, match="send no signing request"):
        authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, csr=request, fault=Fault.SELF_SIGNED)


def test_a_tpp_with_every_role_has_no_wrong_one(authority: CertificateAuthority) -> None:
    mighty = replace(TPP, roles=frozenset(PspRole))

    with pytest.raises(FaultUnavailable, match="every role there is"):
        authority.issue_tpp_certificate(tpp=mighty, kind=QWAC, fault=Fault.WRONG_ROLE)


def test_a_sha1_signature_is_refused_with_the_reason(authority: CertificateAuthority) -> None:
    with pytest.raises(FaultUnavailable, match="signs nothing with SHA-1 any more"):
        authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault=Fault.SHA1_SIGNED)


def test_an_unknown_fault_is_refused_by_name(authority: CertificateAuthority) -> None:
    with pytest.raises(FaultUnavailable, match="'melted' is no fault: expired"):
        authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, fault="melted")
