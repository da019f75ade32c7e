"""The certificate authority says which refusal each test certificate gets; the gateway's own judge is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.admission.grounds import GROUNDS
from gateway.trust.judgement import Judge
from gateway.trust.rules import StoreRules
from gateway.trust.snapshot import CrlInForce, TrustSnapshot
from gateway.trust.verdict import Distrusted
from psd2.thumbprints import sha256_hex
from sandbox.ca.faults import FAULTS
from sandbox.ca.model import Fault, TppCertificateKind
from tests.support.certificate_authority import NOW, TPP, Setting, setting

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.ca.model import IssuedCertificate
    from sandbox.ca.service import CertificateAuthority

MADE = [fault for fault in Fault if FAULTS[fault].unavailable is None]


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    made: Setting = setting(tmp_path)
    made.authority.ensure_hierarchy()
    return made.authority


def judged(authority: CertificateAuthority, issued: IssuedCertificate) -> str | None:
    """Return the gateway's reason to refuse, or None."""
    anchor = x509.load_pem_x509_certificate(authority.tpp_trust_anchors()[0].encode())
    crl = x509.load_der_x509_crl(authority.crl("tpp-issuing"))
    in_force = CrlInForce(
        number=1,
        this_update=crl.last_update_utc.timestamp(),
        next_update=NOW.timestamp() + 60,
        revoked=frozenset(entry.serial_number for entry in crl),
    )
    snapshot = TrustSnapshot(anchors=(anchor,), crls={sha256_hex(anchor.subject.public_bytes()): in_force})
    leaf = x509.load_pem_x509_certificate(issued.certificate.encode()).public_bytes(Encoding.DER)
    try:
        judge = Judge(snapshot, StoreRules())
        judge.require_trusted(leaf, digest=bytes.fromhex(issued.sha256), now=NOW.timestamp())
    except Distrusted as distrusted:
        return str(distrusted.distrust)
    return None


def test_a_right_qwac_is_trusted(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=TppCertificateKind.QWAC)

    assert judged(authority, issued) is None


@pytest.mark.parametrize("fault", MADE)
def test_the_gateway_refuses_for_the_reason_named(authority: CertificateAuthority, fault: Fault) -> None:
    """What TLS alone can tell is judged here; roles and the register are looked at after that."""
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=TppCertificateKind.QWAC, fault=fault)
    refusal = FAULTS[fault].refusal

    reason = judged(authority, issued)

    assert reason == (refusal.reason if refusal and refusal.reason.startswith("mtls.") else None)


def test_a_qseal_opens_no_connection(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=TppCertificateKind.QSEAL)

    assert judged(authority, issued) == "mtls.not_a_qwac"


@pytest.mark.parametrize("fault", [fault for fault in Fault if FAULTS[fault].refusal])
def test_the_refusal_named_is_one_that_the_gateway_knows(fault: Fault) -> None:
    refusal = FAULTS[fault].refusal
    assert refusal is not None
    ground = GROUNDS[refusal.reason]

    assert (ground.status, ground.code) == (refusal.status, refusal.code)
