"""Every fault of a signing request is named, and nothing but its key is believed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from sandbox.ca.csr import read_csr
from sandbox.ca.errors import CsrRefused
from tests.support.certificate_authority import profiles

RULES = profiles().csr
KEY = ec.generate_private_key(ec.SECP256R1())
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
EMPTY = x509.Name([])


def request_of(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | dsa.DSAPrivateKey | ed25519.Ed25519PrivateKey,
    *,
    encoding: serialization.Encoding = DER,
    subject: x509.Name = EMPTY,
) -> bytes:
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return x509.CertificateSigningRequestBuilder(subject).sign(key, algorithm).public_bytes(encoding)


RIGHT = request_of(KEY)


def rsa_of(bits: int, exponent: int = 65_537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


@pytest.mark.parametrize("encoding", [PEM, DER])
@pytest.mark.parametrize("key", [KEY, ec.generate_private_key(ec.SECP521R1()), rsa_of(2_048)])
def test_a_right_request_gives_its_key(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, encoding: serialization.Encoding
) -> None:
    read = read_csr(request_of(key, encoding=encoding), RULES)

    assert read.public_key == key.public_key()
    assert read.notes == ()


def test_an_old_pem_label_is_read_too() -> None:
    old = request_of(KEY, encoding=PEM).replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST")

    assert read_csr(old, RULES).public_key == KEY.public_key()


def test_names_and_extensions_are_ignored_and_said_to_be() -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bank of Mallory")])
    builder = x509.CertificateSigningRequestBuilder(subject).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )

    notes = read_csr(builder.sign(KEY, hashes.SHA256()).public_bytes(PEM), RULES).notes

    assert [note.split(" of ")[0] for note in notes] == ["subject", "extensions"]


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


@pytest.mark.parametrize(
    ("data", "code", "named"),
    [
        (b"", "csr.empty", "empty"),
        (b" \n", "csr.empty", "empty"),
        (b"noise", "csr.unparsable", "neither PEM nor DER"),
        (RIGHT[:-1], "csr.unparsable", "neither PEM nor DER"),
        (RIGHT + b"\x00", "csr.unparsable", "neither PEM nor DER"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "csr.unparsable", "no CERTIFICATE REQUEST"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n????\n-----END CERTIFICATE REQUEST-----", "csr.unparsable", "PKCS #10"),
        (RIGHT + b"\x00" * RULES.max_bytes, "csr.too_large", "at most 16384 are read"),
        (private_pem(), "csr.private_key", "holds a private key"),
        (request_of(KEY, encoding=PEM) + private_pem(), "csr.private_key", "holds a private key"),
        (with_broken_signature(), "csr.bad_signature", "not the key's"),
        (with_another_key(), "csr.bad_signature", "not the key's"),
        (request_of(rsa_of(1_024)), "csr.weak_key", "1024 bits: at least 2048"),
        (request_of(rsa_of(4_104)), "csr.key_too_large", "4104 bits: at most 4096"),
        (request_of(rsa_of(2_050)), "csr.key_kind", "a multiple of 8"),
        (request_of(rsa_of(2_048, 3)), "csr.rsa_exponent", "exponent is 3: use 65537"),
        (request_of(ec.generate_private_key(ec.SECP256K1())), "csr.curve", "secp256k1: use one of"),
        (request_of(ec.generate_private_key(ec.SECP224R1())), "csr.curve", "secp224r1: use one of"),
        (request_of(ed25519.Ed25519PrivateKey.generate()), "csr.key_kind", "Ed25519: use EC or RSA"),
        (request_of(dsa.generate_private_key(2_048)), "csr.key_kind", "DSA: use EC or RSA"),
    ],
)
def test_a_fault_is_named_with_its_code(data: bytes, code: str, named: str) -> None:
    with pytest.raises(CsrRefused, match=named) as refusal:
        read_csr(data, RULES)

    assert refusal.value.code == code
    assert "PRIVATE" not in str(refusal.value)


def test_a_request_signed_with_sha1_proves_too_little() -> None:
    """The library writes none any more: this one was made with OpenSSL 3 (`req -new -sha1`)."""
    with pytest.raises(CsrRefused) as refusal:
        read_csr(SIGNED_WITH_SHA1, RULES)

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
