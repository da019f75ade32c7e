"""Twins of ECDSA signatures: valid without the key, under another hash, and known in advance."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from psd2.ecdsa_twins import twin_sha256s
from psd2.thumbprints import sha256_hex
from tests.support.pki import twin_of

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
CURVES = [(ec.SECP256R1(), hashes.SHA256()), (ec.SECP384R1(), hashes.SHA384()), (ec.SECP521R1(), hashes.SHA512())]


def self_signed(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, hashing: hashes.SHA256) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anybody")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(NOW).not_valid_after(NOW + dt.timedelta(days=1))
    return builder.sign(key, hashing)


def hash_of(certificate: x509.Certificate) -> str:
    return sha256_hex(certificate.public_bytes(Encoding.DER))


@pytest.mark.parametrize(("curve", "hashing"), CURVES)
def test_a_twin_verifies_and_its_hash_is_foreseen(curve: ec.EllipticCurve, hashing: hashes.SHA256) -> None:
    """Twenty of each curve: the integers of a signature are sometimes a byte shorter, and the DER with them."""
    key = ec.generate_private_key(curve)
    for _ in range(20):
        certificate = self_signed(key, hashing)

        twin = twin_of(certificate, curve)

        twin.verify_directly_issued_by(twin)
        assert twin != certificate
        assert hash_of(twin) in set(twin_sha256s(certificate))
        assert hash_of(certificate) in set(twin_sha256s(twin))


def test_an_rsa_signature_has_no_twin() -> None:
    """There is one for each statement and key."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    assert list(twin_sha256s(self_signed(key, hashes.SHA256()))) == []
