"""Every fault of a signing request is named, and nothing but its key is believed."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from sandbox.ca.csr import read_csr
from sandbox.ca.errors import CsrRefused
from tests.support.certificate_authority import NOW, profiles

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = profiles().csr
KEY = ec.generate_private_key(ec.SECP256R1())
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
EMPTY = x509.Name([])
CERTIFIED = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme Payments GmbH"),
        x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, "PSDDE-BAFIN-100001"),
    ]
)


def request_of(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey,
    *,
    encoding: serialization.Encoding = DER,
    subject: x509.Name = EMPTY,
) -> bytes:
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return x509.CertificateSigningRequestBuilder(subject).sign(key, algorithm).public_bytes(encoding)


RIGHT = request_of(KEY)


def kept(name: str) -> bytes:
    """Return a request whose key would take seconds to make; `cryptography` wrote it, and nobody has the key."""
    return (Path(__file__).parent / "requests" / f"{name}.pem").read_bytes()


MAKERS: dict[str, Callable[[], ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]] = {
    "P-256": lambda: KEY,
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA": lambda: rsa.generate_private_key(65_537, 2_048),
}


@pytest.mark.parametrize("encoding", [PEM, DER])
@pytest.mark.parametrize("kind", MAKERS)
def test_a_right_request_gives_its_key(kind: str, encoding: serialization.Encoding) -> None:
    key = MAKERS[kind]()

    read = read_csr(request_of(key, encoding=encoding), RULES)

    assert read.public_key == key.public_key()
    assert read.notes(CERTIFIED) == ()


def test_an_old_pem_label_is_read_too() -> None:
    old = request_of(KEY, encoding=PEM).replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST")

    assert read_csr(old, RULES).public_key == KEY.public_key()


def test_names_and_extensions_are_ignored_and_said_to_be() -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bank of Mallory")])
    builder = x509.CertificateSigningRequestBuilder(subject).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )

    notes = read_csr(builder.sign(KEY, hashes.SHA256()).public_bytes(PEM), RULES).notes(CERTIFIED)

    because = "a certificate says what the register says"
    assert notes == (
        f"subject: organisation (O) is 'Acme Payments GmbH' in the certificate, not 'Bank of Mallory': {because}",
        f"extensions of the signing request are ignored: {because}",
    )


def test_a_subject_like_the_registers_needs_no_note() -> None:
    """Nothing to say where nothing differs; what the certificate has no place for is said to be left out."""
    unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Cards")

    assert read_csr(request_of(KEY, subject=CERTIFIED), RULES).notes(CERTIFIED) == ()
    (note,) = read_csr(request_of(KEY, subject=x509.Name([*CERTIFIED, unit])), RULES).notes(CERTIFIED)

    assert note.startswith("subject: OU='Cards' is left out")


def with_broken_signature() -> bytes:
    """Change the last byte, which belongs to the signature's value."""
    return RIGHT[:-1] + bytes((RIGHT[-1] ^ 1,))


def with_another_key() -> bytes:
    """Put another key of the same length where the first one was: the signature then proves nothing."""
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    other = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*spki)
    return RIGHT.replace(KEY.public_key().public_bytes(*spki), other)


def private_pem() -> bytes:
    return KEY.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def private_der(encryption: serialization.KeySerializationEncryption) -> bytes:
    return KEY.private_bytes(DER, serialization.PrivateFormat.PKCS8, encryption)


def public_key(encoding: serialization.Encoding) -> bytes:
    return KEY.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def own_certificate(encoding: serialization.Encoding) -> bytes:
    """Make one over the same key, as somebody might send by mistake."""
    builder = x509.CertificateBuilder(subject_name=CERTIFIED, issuer_name=CERTIFIED, public_key=KEY.public_key())
    life = builder.serial_number(7).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return life.sign(KEY, hashes.SHA256()).public_bytes(encoding)


def store() -> bytes:
    certificate = x509.load_pem_x509_certificate(own_certificate(PEM))
    return pkcs12.serialize_key_and_certificates(
        b"acme", KEY, certificate, None, serialization.BestAvailableEncryption(b"passphrase")
    )


def with_garbage() -> bytes:
    """Put a line that is no base64 into the middle of the block."""
    lines = request_of(KEY, encoding=PEM).splitlines(keepends=True)
    return b"".join([*lines[:2], b"*** garbage ***\n", *lines[2:]])


RSA_512 = b"""\
-----BEGIN CERTIFICATE REQUEST-----
MIHFMHECAQAwDDEKMAgGA1UEAwwBeDBcMA0GCSqGSIb3DQEBAQUAA0sAMEgCQQDL
mHhWotWSEX6LTp9L1nNZZ34+4DAj4jvZBTkZudz6Lb+HOn4p5YMKCDUGrOxPre70
5mNhDwDYp5h0GMqS2Z77AgMBAAGgADANBgkqhkiG9w0BAQsFAANBALrMSGa9KrXF
22UXqR4pZFLM8foZWexZCN01/Nq0weQsOoSAFf6pxJy0+F3bWoDqhdKJqAbFstrC
9j1o28f/KS4=
-----END CERTIFICATE REQUEST-----
"""


@pytest.mark.parametrize(
    ("data", "code", "named"),
    [
        (b"", "csr.empty", "empty"),
        (b" \n", "csr.empty", "empty"),
        (b"noise", "csr.unparsable", "neither PEM nor DER"),
        (RIGHT[:-1], "csr.unparsable", "neither PEM nor DER"),
        (RIGHT + b"\x00", "csr.unparsable", "neither PEM nor DER"),
        (b"-----BEGIN ODD THING-----\nAAAA\n-----END ODD THING-----", "csr.unparsable", "no CERTIFICATE REQUEST"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n????\n-----END CERTIFICATE REQUEST-----", "csr.garbage", "PKCS #10"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----", "csr.unparsable", "PKCS #10"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n" * 300, "csr.cut_off", "needs its -----END line"),
        (request_of(KEY, encoding=PEM)[:-20], "csr.cut_off", "needs its -----END line"),
        (with_garbage(), "csr.garbage", "no base64"),
        (request_of(KEY, encoding=PEM) * 2, "csr.several", "2 signing requests"),
        (b"".join(request_of(KEY, encoding=PEM).splitlines()[1:-1]), "csr.no_marks", "put -----BEGIN"),
        (request_of(KEY, encoding=PEM).decode().encode("utf-16"), "csr.encoding", "UTF-16"),
        (bytes(range(256)), "csr.unparsable", "neither PEM nor DER"),
        (own_certificate(PEM), "csr.certificate", "a certificate, not a request"),
        (own_certificate(DER), "csr.certificate", "a certificate, not a request"),
        (public_key(PEM), "csr.public_key", "public key alone"),
        (public_key(DER), "csr.public_key", "public key alone"),
        (store(), "csr.private_key", "nothing of it was kept"),
        (private_der(serialization.NoEncryption()), "csr.private_key", "nothing of it was kept"),
        (private_der(serialization.BestAvailableEncryption(b"x" * 12)), "csr.private_key", "nothing of it was kept"),
        (RIGHT + b"\x00" * RULES.max_bytes, "csr.too_large", "at most 16384 are read"),
        (private_pem(), "csr.private_key", "holds a private key"),
        (request_of(KEY, encoding=PEM) + private_pem(), "csr.private_key", "holds a private key"),
        (with_broken_signature(), "csr.bad_signature", "not the key's"),
        (with_another_key(), "csr.bad_signature", "not the key's"),
        (RSA_512, "csr.weak_key", "512 bits: at least 2048"),
        (kept("rsa-1024"), "csr.weak_key", "1024 bits: at least 2048"),
        (kept("rsa-4104"), "csr.key_too_large", "4104 bits: at most 4096"),
        (kept("rsa-2050"), "csr.key_kind", "a multiple of 8"),
        (kept("rsa-2048-exponent-3"), "csr.rsa_exponent", "exponent is 3: use 65537"),
        (request_of(ec.generate_private_key(ec.SECP256K1())), "csr.curve", "secp256k1: use one of"),
        (request_of(ec.generate_private_key(ec.SECP224R1())), "csr.curve", "secp224r1: use one of"),
        (request_of(ed25519.Ed25519PrivateKey.generate()), "csr.key_kind", "Ed25519: use EC or RSA"),
        (kept("dsa-2048"), "csr.key_kind", "DSA: use EC or RSA"),
    ],
    # Keys are made anew in each process, but a test has to have one name in all of them.
    ids=lambda value: "sent" if isinstance(value, bytes) else value,
)
def test_a_fault_is_named_with_its_code(data: bytes, code: str, named: str) -> None:
    with pytest.raises(CsrRefused, match=named) as refusal:
        read_csr(data, RULES)

    assert refusal.value.code == code
    assert "PRIVATE" not in str(refusal.value)


@pytest.mark.parametrize(("name", "index"), [("SHA1", 0), ("MD5", 1)])
def test_a_request_signed_with_a_weak_hash_proves_too_little(name: str, index: int) -> None:
    """The library writes none any more: these were made with OpenSSL 3 (`req -new -sha1`, `-md5`)."""
    with pytest.raises(CsrRefused, match=f"weak hash \\({name}\\): use SHA-256") as refusal:
        read_csr((SIGNED_WITH_SHA1, SIGNED_WITH_MD5)[index], RULES)

    assert refusal.value.code == "csr.weak_hash"


@given(st.data())
def test_damaged_requests_are_read_or_refused_with_the_one_typed_error(data: st.DataObject) -> None:
    damaged = bytearray(RIGHT)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    with suppress(CsrRefused):
        read_csr(bytes(damaged), RULES)


@given(st.binary(max_size=200))
def test_noise_is_refused_with_the_one_typed_error(noise: bytes) -> None:
    with pytest.raises(CsrRefused):
        read_csr(noise, RULES)


SIGNED_WITH_SHA1 = b"""\
-----BEGIN CERTIFICATE REQUEST-----
MIHHMHACAQAwDjEMMAoGA1UECgwDT2xkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAES/q9NdqDMmWGacNllFaxEE97PiRR744fqX8nurw1xnOIbQm6Kg5OmnFjLI+z
hiX+NZb5PRpHwDA6eD5QuNKIqqAAMAkGByqGSM49BAEDSAAwRQIhAOlXhuURZDGf
ug/gRDZDzpcWVbBelNJG5YGdPTCQvVfMAiBmWXlI6Omu0Rk5lZ3Ab2QX4J9cyIq8
JXfShvsHT00pMQ==
-----END CERTIFICATE REQUEST-----
"""

SIGNED_WITH_MD5 = b"""\
-----BEGIN CERTIFICATE REQUEST-----
MIICUTCCATkCAQAwDDEKMAgGA1UEAwwBeDCCASIwDQYJKoZIhvcNAQEBBQADggEP
ADCCAQoCggEBALG56jmWASHE7EZ8ksFusCCrbeVfS0UiHUtAX+x4zyabhKJGhuXJ
okyfGrP0vJA4W9O935JASNTSZac80G7lCJ42udYtDBTcyBR2xiwdbm14SnaUKpjE
1FMbqcZDLoV6hGJCo5Zezi/jHb8RSy1tpCbew6R/fpDy0tLxf0q1J5L6Lc8cJQh1
1FnYoMgvAYw/6uVDshWpbXlZRFsjeukkb0PmjGfaZyTC/8DieJLG99jSChuH+lz2
4K5NzwVPjgG1roIykAo7ihGtkYCuZufI6HLEu6xTdTd6+Xw+G0c5bcM6quOIc4Qg
qee2YHMCxL7YP+lUxEFo54ha+O60o9EogR0CAwEAAaAAMA0GCSqGSIb3DQEBBAUA
A4IBAQAyraZ5ZmtQscIZY0Z5wn/D9LWS61Rwk88BT3vLXHrCmbLfoDpVFd2xp72s
0qOVBL132P4Obt9EBFzrN+1aJQ2TSwrbHPrlzxsFaeIhPlFfN5IGIGNISQZWfdsZ
1hI7wTR8TvndxrlYCp0te6FDFqM/r+mlyjPlOVTDQb4djmvc3ZTxVguIUogSxnMS
GoVIRYEcG/yxgD76TN2ViK53OhERreLfXeHGulzNCY5eFEeRQjUzrJ9+OOXb5+ld
WIaffSjjedQB8OFLmKXRPh0QMwM/LhtFu38XCV537Wm5emiCmGG0m0QtEJs7f9nl
Emuz/n7vAwyXjEHkH4GEHaQIaF3s
-----END CERTIFICATE REQUEST-----
"""
