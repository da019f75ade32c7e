"""What is issued to TPPs: right by default, from a signing request or a key made here, renewed with overlap, limited."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from psd2.certificates import CertificateKind, parse_certificate, require_qwac
from psd2.roles import PspRole
from sandbox.ca.errors import CsrRefused, SubjectRefused, TooManyCertificates, UnknownCertificate
from sandbox.ca.model import CertificateStatus, RevocationReason, TppCertificateKind
from tests.support.certificate_authority import NOW, TPP, Setting, profiles

if TYPE_CHECKING:
    from sandbox.ca.model import IssuedCertificate
    from sandbox.ca.service import CertificateAuthority

QWAC, QSEAL = TppCertificateKind.QWAC, TppCertificateKind.QSEAL


def signing_request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str = "Somebody Else") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder(subject)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def loaded(issued: IssuedCertificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.certificate.encode())


def test_a_qwac_says_what_the_register_says(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    read = parse_certificate(issued.certificate.encode())
    require_qwac(read)
    assert (read.organisation, read.authorisation_number) == (TPP.organisation, TPP.authorisation_number)
    assert (read.common_name, read.dns_names) == (TPP.domain, (TPP.domain,))
    assert (read.roles, read.nca_id, read.nca_name) == (TPP.roles, TPP.nca_id, TPP.nca_name)
    assert read.variants == ()
    assert (issued.sha256, int(issued.serial, 16)) == (read.sha256, read.serial)
    assert read.not_before <= NOW < read.not_after == issued.not_after


def test_a_qseal_signs_and_does_nothing_else(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QSEAL)

    read = parse_certificate(issued.certificate.encode())
    usage = read.x509.extensions.get_extension_for_class(x509.KeyUsage).value
    assert read.kind is CertificateKind.QSEAL
    assert (usage.content_commitment, usage.digital_signature) == (True, False)
    assert read.dns_names == ()
    with pytest.raises(x509.ExtensionNotFound):
        read.x509.extensions.get_extension_for_class(x509.ExtendedKeyUsage)


def test_a_certificate_tells_where_its_revocation_is_published(authority: CertificateAuthority) -> None:
    extensions = loaded(authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)).extensions

    points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [name.value for name in points[0].full_name or ()] == ["http://localhost:8439/pki/crl/tpp-issuing.crl"]
    assert [description.access_location.value for description in access] == [
        "http://localhost:8439/pki/ocsp/tpp-issuing",
        "http://localhost:8439/pki/ca/tpp-issuing.crt",
    ]


def test_a_bank_that_trusts_the_issuing_authority_accepts_the_qwac(authority: CertificateAuthority) -> None:
    """The anchor is the issuing authority itself, as on EU trusted lists; nothing else comes with the handshake."""
    anchors = [x509.load_pem_x509_certificate(pem.encode()) for pem in authority.tpp_trust_anchors()]
    leaf = loaded(authority.issue_tpp_certificate(tpp=TPP, kind=QWAC))

    verified = PolicyBuilder().store(Store(anchors)).time(NOW).build_client_verifier().verify(leaf, [])

    assert len(verified.chain) == 2
    assert verified.subjects == [x509.DNSName(TPP.domain)]


def test_a_bank_that_trusts_the_servers_authority_does_not(standing: Setting) -> None:
    server_issuing = x509.load_der_x509_certificate(standing.authority.ca_certificate("server-issuing"))
    leaf = loaded(standing.authority.issue_tpp_certificate(tpp=TPP, kind=QWAC))

    with pytest.raises(VerificationError):
        PolicyBuilder().store(Store([server_issuing])).time(NOW).build_client_verifier().verify(leaf, [])


def test_the_bundle_is_what_a_tls_client_presents(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    leaf, issuing = x509.load_pem_x509_certificates(issued.bundle.encode())

    leaf.verify_directly_issued_by(issuing)
    assert issuing == x509.load_der_x509_certificate(authority.ca_certificate("tpp-issuing"))


def test_a_key_made_here_is_handed_over_and_shown_nowhere(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    assert issued.private_key is not None
    key = serialization.load_pem_private_key(issued.private_key.encode(), None)
    assert key.public_key() == loaded(issued).public_key()
    assert "PRIVATE KEY" not in repr(issued)


def test_a_signing_request_brings_its_key_and_nothing_else(authority: CertificateAuthority) -> None:
    key = ec.generate_private_key(ec.SECP384R1())

    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, csr=signing_request(key))

    assert issued.private_key is None
    assert loaded(issued).public_key() == key.public_key()
    assert parse_certificate(issued.certificate.encode()).organisation == TPP.organisation
    assert len(issued.notes) == 1
    assert "'Acme Payments GmbH' in the certificate, not 'Somebody Else'" in issued.notes[0]


def test_an_rsa_key_is_certified_too(authority: CertificateAuthority) -> None:
    key = rsa.generate_private_key(65_537, 2_048)

    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QSEAL, csr=signing_request(key))

    assert loaded(issued).public_key() == key.public_key()


def test_a_key_that_was_compromised_is_never_certified_again(authority: CertificateAuthority) -> None:
    request = signing_request(ec.generate_private_key(ec.SECP256R1()))
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, csr=request)
    authority.revoke(issued.serial, RevocationReason.KEY_COMPROMISE)

    with pytest.raises(CsrRefused, match="revoked as compromised") as refusal:
        authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, csr=request)

    assert refusal.value.code == "csr.compromised_key"


def test_a_key_whose_certificate_was_superseded_may_be_certified_again(authority: CertificateAuthority) -> None:
    request = signing_request(ec.generate_private_key(ec.SECP256R1()))
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, csr=request)
    authority.revoke(issued.serial, RevocationReason.SUPERSEDED)

    assert authority.issue_tpp_certificate(tpp=TPP, kind=QWAC, csr=request).serial != issued.serial


def test_renewal_overlaps(standing: Setting) -> None:
    """The TPP moves over when it likes: the old one stays valid until it ends."""
    old = standing.authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    standing.clock.advance(timedelta(days=340))

    new = standing.authority.renew(serial=old.serial, tpp=TPP)

    record, successor = standing.authority.certificate(old.serial), standing.authority.certificate(new.serial)
    assert record.status is CertificateStatus.VALID
    assert record.not_after > standing.clock.now()
    assert (successor.replaces, successor.profile) == (old.serial, "qwac")
    assert new.not_after == old.not_after + timedelta(days=340)


def test_renewal_takes_what_the_register_says_now(authority: CertificateAuthority) -> None:
    old = authority.issue_tpp_certificate(tpp=TPP, kind=QSEAL)
    grown = replace(TPP, roles=TPP.roles | {PspRole.IC})

    new = authority.renew(serial=old.serial, tpp=grown)

    assert parse_certificate(new.certificate.encode()).roles == grown.roles


def test_nobody_renews_another_tpps_certificate(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    with pytest.raises(UnknownCertificate, match="no certificate of mallory"):
        authority.renew(serial=issued.serial, tpp=replace(TPP, name="mallory"))


def test_nobody_renews_the_platforms_own_certificates(authority: CertificateAuthority) -> None:
    own = next(record for record in authority.certificates() if record.profile == "server")

    with pytest.raises(UnknownCertificate):
        authority.renew(serial=own.serial, tpp=TPP)


def test_a_tpp_holds_so_many_certificates_and_no_more(standing: Setting) -> None:
    few = profiles()
    few = few.model_copy(update={"limits": few.limits.model_copy(update={"certificates_per_tpp": 2})})
    authority = standing.restarted(profiles=few)
    first = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    authority.issue_tpp_certificate(tpp=TPP, kind=QSEAL)

    with pytest.raises(TooManyCertificates, match="holds 2 valid certificates"):
        authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    authority.issue_tpp_certificate(tpp=replace(TPP, name="other"), kind=QWAC)
    authority.revoke(first.serial, RevocationReason.SUPERSEDED)
    authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)


def test_certificates_are_listed_by_tpp_newest_first(standing: Setting) -> None:
    first = standing.authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    standing.clock.advance(timedelta(seconds=1))
    second = standing.authority.issue_tpp_certificate(tpp=TPP, kind=QSEAL)
    standing.authority.issue_tpp_certificate(tpp=replace(TPP, name="other"), kind=QWAC)

    listed = standing.authority.certificates("acme")

    assert [record.serial for record in listed] == [second.serial, first.serial]
    assert {record.authorisation_number for record in listed} == {TPP.authorisation_number}


def test_a_serial_number_is_found_as_tools_print_it(authority: CertificateAuthority) -> None:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    printed = ":".join(issued.serial[i : i + 2] for i in range(0, len(issued.serial), 2)).upper()

    assert authority.certificate(printed).sha256 == issued.sha256


@pytest.mark.parametrize("serial", ["", "zz", "0" * 41, "1234"])
def test_a_serial_number_that_was_never_issued_is_unknown(authority: CertificateAuthority, serial: str) -> None:
    with pytest.raises(UnknownCertificate, match="no certificate with this serial number"):
        authority.certificate(serial)


def test_no_certificate_outlives_its_issuer(standing: Setting) -> None:
    issuer = x509.load_der_x509_certificate(standing.authority.ca_certificate("tpp-issuing"))
    standing.clock.advance(issuer.not_valid_after_utc - NOW - timedelta(days=10))

    issued = standing.authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)

    assert issued.not_after == issuer.not_valid_after_utc


def test_an_unknown_kind_is_refused_by_name(authority: CertificateAuthority) -> None:
    with pytest.raises(SubjectRefused, match="'qcert' is no kind of certificate: qwac, qseal"):
        authority.issue_tpp_certificate(tpp=TPP, kind="qcert")


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("organisation", "", "1 to 64 characters"),
        ("organisation", "x" * 65, "1 to 64 characters"),
        ("organisation", "Acme\nGmbH", "control characters"),
        ("organisation", " Acme", "spaces at an end"),
        ("country", "de", "two capitals"),
        ("roles", frozenset(), "at least one role"),
        ("authorisation_number", "DE-BAFIN-1", "does not start with PSD"),
        ("nca_id", "DEBAFIN", "DE-BAFIN"),
        ("nca_id", "FR-ACPR", "is not the authority of PSDDE-BAFIN-100001"),
        ("nca_name", "Bundesanstalt für Finanzdienstleistungsaufsicht", "Latin letters only"),
        ("domain", "localhost", "no DNS name"),
        ("domain", "Acme.example", "no DNS name"),
        ("domain", "-acme.example", "no DNS name"),
        ("domain", "*.acme.example", "no DNS name"),
        ("domain", "a" * 60 + ".example", "at most 64 characters"),
        ("name", "", "short name"),
    ],
)
def test_data_that_no_certificate_can_carry_is_refused_by_field(field: str, value: object, named: str) -> None:
    with pytest.raises(SubjectRefused, match=named) as refusal:
        replace(TPP, **{field: value})  # type: ignore[arg-type]

    assert refusal.value.field == field


def test_the_certificate_is_for_tls_clients_and_servers(authority: CertificateAuthority) -> None:
    purposes = loaded(authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)).extensions.get_extension_for_class(
        x509.ExtendedKeyUsage
    )

    assert list(purposes.value) == [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    assert not purposes.critical
