"""A PSD2 certificate as a gateway reads it: kind, identity, roles; and what makes it no QWAC."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from psd2.certificates import (
    MAX_CERTIFICATE_BYTES,
    CertificateKind,
    MalformedCertificate,
    NotAQwac,
    QwacFault,
    parse_certificate,
    qwac_faults,
    require_qwac,
)
from psd2.qcstatements import QC_STATEMENTS_OID, encode_qcstatements, flatten_roles
from psd2.qualified import Psd2Statement, QcStatements, QcType
from psd2.roles import PspRole
from psd2.thumbprints import sha256_hex, x5t_s256

KEY = ec.generate_private_key(ec.SECP256R1())
NOT_BEFORE, NOT_AFTER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
NUMBER = "PSDDE-BAFIN-123456"
PSD2 = Psd2Statement(roles=frozenset({PspRole.AI, PspRole.PI}), nca_name="BaFin", nca_id="DE-BAFIN")
WEB = QcStatements(compliance=True, types=frozenset({QcType.WEB}), psd2=PSD2)
SEAL = QcStatements(compliance=True, types=frozenset({QcType.ESEAL}), psd2=PSD2)


def certificate(
    statements: bytes | None = encode_qcstatements(WEB),
    *,
    numbers: tuple[str, ...] = (NUMBER,),
    purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH),
    signs: bool = True,
    ca: bool = False,
) -> x509.Certificate:
    """Make a right QWAC, or one that is wrong in the one way asked for."""
    names = [x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme GmbH")]
    names += [x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, number) for number in numbers]
    names += [x509.NameAttribute(NameOID.COMMON_NAME, "acme.example")]
    builder = (
        x509.CertificateBuilder(subject_name=x509.Name(names), issuer_name=x509.Name(names[:2]))
        .public_key(KEY.public_key())
        .serial_number(4711)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=signs), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("acme.example")]), critical=False)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if statements is not None:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(QC_STATEMENTS_OID), statements)
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, hashes.SHA256())


def key_usage(*, digital_signature: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=not digital_signature,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(Encoding.DER)


def test_a_qwac_tells_who_the_tpp_is_and_what_it_may_do() -> None:
    made = certificate()

    read = parse_certificate(der(made))

    assert read.kind is CertificateKind.QWAC
    assert (read.authorisation_number, read.organisation, read.common_name) == (NUMBER, "Acme GmbH", "acme.example")
    assert (read.roles, read.nca_id, read.nca_name) == ({PspRole.AI, PspRole.PI}, "DE-BAFIN", "BaFin")
    assert (read.dns_names, read.serial) == (("acme.example",), 4711)
    assert (read.not_before, read.not_after) == (NOT_BEFORE, NOT_AFTER)
    assert (read.sha256, read.thumbprint) == (sha256_hex(der(made)), x5t_s256(der(made)))
    assert read.subject == "CN=acme.example,2.5.4.97=PSDDE-BAFIN-123456,O=Acme GmbH,C=DE"
    assert read.issuer == "O=Acme GmbH,C=DE"
    assert read.variants == ()
    require_qwac(read)


def test_pem_is_read_like_der_and_a_bundle_gives_its_first_certificate() -> None:
    leaf, other = certificate(), certificate(encode_qcstatements(SEAL))
    bundle = leaf.public_bytes(Encoding.PEM) + other.public_bytes(Encoding.PEM)

    assert parse_certificate(bundle) == parse_certificate(der(leaf))


def test_der_that_holds_the_pem_mark_in_a_name_is_read_as_der() -> None:
    """What a stranger writes into a name must not choose the parser."""
    made = certificate(numbers=("-----BEGIN",))

    assert parse_certificate(der(made)).authorisation_number == "-----BEGIN"


def test_a_malformed_variant_is_read_and_named() -> None:
    flat = flatten_roles(encode_qcstatements(WEB))

    read = parse_certificate(der(certificate(flat)))

    assert (read.roles, read.variants) == ({PspRole.AI, PspRole.PI}, ("flat-roles",))
    require_qwac(read)


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (SEAL, CertificateKind.QSEAL),
        (QcStatements(types=frozenset({QcType.ESIGN}), psd2=PSD2), CertificateKind.OTHER),
        (QcStatements(types=frozenset({QcType.WEB, QcType.ESEAL}), psd2=PSD2), CertificateKind.OTHER),
        (QcStatements(psd2=PSD2), CertificateKind.OTHER),
    ],
)
def test_the_kind_is_what_the_one_qc_type_says(statements: QcStatements, kind: CertificateKind) -> None:
    """Two purposes in one certificate are none (EN 319 412-5 §4.2.3)."""
    assert parse_certificate(der(certificate(encode_qcstatements(statements)))).kind is kind


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (certificate(encode_qcstatements(SEAL)), QwacFault.QC_TYPE),
        (certificate(None), QwacFault.QC_TYPE),
        (certificate(encode_qcstatements(QcStatements(types=frozenset({QcType.WEB})))), QwacFault.PSD2_STATEMENT),
        (certificate(numbers=()), QwacFault.AUTHORISATION_NUMBER),
        (certificate(ca=True), QwacFault.CERTIFICATE_AUTHORITY),
        (certificate(signs=False), QwacFault.KEY_USAGE),
        (certificate(purposes=(ExtendedKeyUsageOID.SERVER_AUTH,)), QwacFault.EXTENDED_KEY_USAGE),
        (certificate(purposes=()), QwacFault.EXTENDED_KEY_USAGE),
    ],
)
def test_a_certificate_wrong_in_one_way_is_no_qwac_and_says_why(wrong: x509.Certificate, fault: QwacFault) -> None:
    with pytest.raises(NotAQwac) as refusal:
        require_qwac(parse_certificate(der(wrong)))

    assert refusal.value.fault is fault
    assert refusal.value.reason == str(refusal.value)


def test_everything_that_a_qwac_lacks_is_named_in_order() -> None:
    """For who has to put it right; `require_qwac` raises the first."""
    wrong = parse_certificate(der(certificate(None, numbers=(), purposes=(), signs=False, ca=True)))

    assert [lacking.fault for lacking in qwac_faults(wrong)] == list(QwacFault)


def test_a_qseal_is_told_that_it_is_one() -> None:
    with pytest.raises(NotAQwac, match="this is a QSealC"):
        require_qwac(parse_certificate(der(certificate(encode_qcstatements(SEAL)))))


def test_a_subject_with_two_authorisation_numbers_is_refused() -> None:
    """Whichever of the two were taken, somebody could be taken for somebody else."""
    with pytest.raises(MalformedCertificate, match=r"2 attributes 2\.5\.4\.97"):
        parse_certificate(der(certificate(numbers=(NUMBER, "PSDDE-BAFIN-654321"))))


def test_unreadable_statements_make_the_whole_certificate_unreadable() -> None:
    with pytest.raises(MalformedCertificate, match="qcStatements"):
        parse_certificate(der(certificate(b"\x04\x00")))


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "neither PEM nor DER"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "neither PEM nor DER"),
        (der(certificate())[:-1], "neither PEM nor DER"),
        (der(certificate()) + b"\x00", "neither PEM nor DER"),
        (b"\x30" * (MAX_CERTIFICATE_BYTES + 1), "at most 65536"),
    ],
)
def test_what_is_no_certificate_is_refused_by_name(data: bytes, named: str) -> None:
    with pytest.raises(MalformedCertificate, match=named):
        parse_certificate(data)


@given(st.data())
def test_damaged_certificates_are_read_or_refused_with_the_one_typed_error(data: st.DataObject) -> None:
    """Anybody can present anything: what is read of it raises one error type, and so does the QWAC check."""
    damaged = bytearray(_RIGHT)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    with suppress(MalformedCertificate, NotAQwac):
        require_qwac(parse_certificate(bytes(damaged)))


@given(st.binary(max_size=200))
def test_noise_is_refused_with_the_one_typed_error(noise: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        parse_certificate(noise)


_RIGHT = der(certificate())
