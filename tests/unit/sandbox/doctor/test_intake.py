"""What people hand in: certificates in every wrapping, and what is no certificate, named and never shown."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7SignatureBuilder, serialize_certificates
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from hypothesis import given
from hypothesis import strategies as st

from sandbox.doctor.intake import MAX_BYTES, MAX_CERTIFICATES, Presented, read_presented
from sandbox.doctor.model import NotExaminable
from tests.support.doctor import ISSUING, KEY, NOW, SUBJECT, lonely_doctor, pem, strange
from tests.support.pki import DAY

QWAC = strange()
CERTIFICATE = x509.load_der_x509_certificate(QWAC)
AUTHORITY = ISSUING.certificate.public_bytes(Encoding.DER)
ED25519 = ed25519.Ed25519PrivateKey.generate()
PASSWORD = serialization.BestAvailableEncryption(b"secret")
REQUEST = x509.CertificateSigningRequestBuilder(subject_name=x509.Name([])).sign(KEY, hashes.SHA256())
CRL = (
    x509.CertificateRevocationListBuilder(issuer_name=ISSUING.name, last_update=NOW, next_update=NOW + DAY)
    .add_extension(x509.CRLNumber(1), critical=False)
    .sign(ISSUING.key, hashes.SHA256())
)
KEYS = {
    "PKCS #8 PEM": KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    "PKCS #8 DER": KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    "SEC 1 PEM": KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    "SEC 1 DER": KEY.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    "a short one in DER": ED25519.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    "encrypted PEM": KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PASSWORD),
    "encrypted DER": KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, PASSWORD),
    "OpenSSH": KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
}
MISTAKEN = {
    "request PEM": (REQUEST.public_bytes(Encoding.PEM), "signing request.*sandbox cert issue NAME --csr FILE"),
    "request DER": (REQUEST.public_bytes(Encoding.DER), "signing request"),
    "CRL PEM": (CRL.public_bytes(Encoding.PEM), "revocation list"),
    "CRL DER": (CRL.public_bytes(Encoding.DER), "revocation list"),
    "public key PEM": (KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "public key"),
    "public key DER": (KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "public key"),
    "PKCS #12": (serialize_key_and_certificates(b"x", KEY, CERTIFICATE, None, PASSWORD), "PKCS #12"),
    "PKCS #7 PEM": (serialize_certificates([CERTIFICATE], Encoding.PEM), "PKCS #7"),
    "PKCS #7 DER": (serialize_certificates([CERTIFICATE], Encoding.DER), "PKCS #7"),
    "CMS signature": (
        PKCS7SignatureBuilder().set_data(b"x").add_signer(CERTIFICATE, KEY, hashes.SHA256()).sign(Encoding.DER, []),
        "PKCS #7",
    ),
    "another PEM": (b"-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----\n", "PEM of a PGP MESSAGE"),
    "empty": (b" \n", "the file is empty"),
    "too large": (b"\x30" * (MAX_BYTES + 1), "more than 65536 bytes"),
    "UTF-16": (pem(QWAC).decode().encode("utf-16"), "UTF-16"),
    "text": (b"Dear bank,\nplease find enclosed", "neither PEM nor DER"),
    "binary": (b"\x7fELF\x02\x01\x01", "neither PEM nor DER"),
    "half a DER": (QWAC[:-1], "no X.509 certificate can be read"),
    "DER of something else": (b"\x30\x03\x02\x01\x05", "no X.509 certificate can be read"),
    "a PEM cut off": (pem(QWAC)[:-20], "cut off or damaged"),
    "a PEM with no label": (b"-----BEGIN -----\n-----END -----\n", "cut off or damaged"),
    "no base64": (pem(QWAC).replace(b"M", b"*", 1), "no base64"),
    "PEM of no certificate": (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no X.509 certificate can be"),
    "a bundle whose second is damaged": (
        pem(QWAC) + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "certificate 2 of 2: no X.509",
    ),
    "too many": (pem(*[AUTHORITY] * (MAX_CERTIFICATES + 1)), "holds 17 certificates, at most 16"),
}


def read(data: bytes) -> Presented:
    return read_presented(data)


@pytest.mark.parametrize(
    "data",
    [
        QWAC,
        pem(QWAC),
        b"subject=CN = acme.example\n\n" + pem(QWAC),
        pem(QWAC).replace(b"\n", b"\r\n"),
        pem(QWAC).replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
        b"\xef\xbb\xbf" + pem(QWAC),
    ],
    ids=["DER", "PEM", "PEM after text", "Windows lines", "old label", "with a byte order mark"],
)
def test_a_certificate_is_read_in_every_wrapping(data: bytes) -> None:
    presented = read(data)

    assert presented.leaf.public_bytes(Encoding.DER) == QWAC
    assert (presented.place, presented.others, presented.holds_private_key) == (1, (), False)


def test_der_with_the_pem_mark_in_a_name_is_read_as_der() -> None:
    """What a stranger writes into a name must not choose the parser."""
    der = strange(subject=[(SUBJECT[1][0], "-----BEGIN CERTIFICATE-----"), *SUBJECT[2:]])

    assert read(der).leaf.public_bytes(Encoding.DER) == der


@pytest.mark.parametrize(("bundle", "place"), [(pem(QWAC, AUTHORITY), 1), (pem(AUTHORITY, QWAC), 2), (pem(AUTHORITY), 1)])
def test_of_a_bundle_the_leaf_is_examined_wherever_it_stands(bundle: bytes, place: int) -> None:
    """An authority alone is examined as what there is."""
    presented = read(bundle)

    assert presented.place == place
    assert presented.leaf.public_bytes(Encoding.DER) == (AUTHORITY if bundle == pem(AUTHORITY) else QWAC)


@pytest.mark.parametrize("data", KEYS.values(), ids=KEYS)
def test_a_private_key_is_named_and_nothing_of_it_shown(data: bytes) -> None:
    with pytest.raises(NotExaminable, match="this is a private key, of which nothing is shown") as refusal:
        read(data)

    body = base64.b64encode(data) if data[:1] == b"\x30" else b"".join(data.splitlines()[1:-1])
    assert not any(body[at : at + 8].decode() in str(refusal.value) for at in range(len(body) - 8))


def test_a_key_beside_a_certificate_is_reported_and_not_shown() -> None:
    """Some servers want both in one file."""
    presented = read(KEYS["PKCS #8 PEM"] + pem(QWAC))

    assert presented.holds_private_key
    assert presented.leaf.public_bytes(Encoding.DER) == QWAC


@pytest.mark.parametrize(("data", "named"), MISTAKEN.values(), ids=MISTAKEN)
def test_what_is_no_certificate_is_named_on_one_line(data: bytes, named: str) -> None:
    with pytest.raises(NotExaminable, match=named) as refusal:
        read(data)

    assert str(refusal.value).isprintable()


@given(st.binary(max_size=300))
def test_noise_is_refused_with_the_one_typed_error(noise: bytes) -> None:
    with pytest.raises(NotExaminable):
        read(noise)


@given(st.data())
def test_damaged_files_are_read_or_refused_with_the_one_typed_error(data: st.DataObject) -> None:
    """Octets changed in a PEM bundle and in DER: whatever can still be read is explained to the end."""
    damaged = bytearray(data.draw(st.sampled_from([QWAC, pem(QWAC, AUTHORITY)])))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    try:
        examination = lonely_doctor().examine(bytes(damaged))
    except NotExaminable:
        return
    assert all(value.isprintable() for field in examination.fields for value in (*field.values, field.meaning))
    assert all(finding.text.isprintable() for finding in examination.findings)
