"""Certificates that look like a TPP's QWAC to the last extension and are none: an attacker makes them in a minute."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tpp_client.identity import Credential

if TYPE_CHECKING:
    from pathlib import Path

    from psd2.certificates import Psd2Certificate

_KEY_DEPENDENT = frozenset({x509.OID_AUTHORITY_KEY_IDENTIFIER, x509.OID_SUBJECT_KEY_IDENTIFIER})


def forge_self_signed(original: Psd2Certificate, folder: Path) -> Credential:
    """Write a copy of `original` that is signed by its own key."""
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _copy(original.x509, issuer=original.x509.subject, key=key).sign(key, hashes.SHA256())
    return _write(folder, "self-signed", key, leaf)


def forge_foreign(original: Psd2Certificate, folder: Path) -> Credential:
    """Write a copy of `original` from a CA that has the real one's name and another key."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _impostor(original.x509, authority_key)
    leaf = _copy(original.x509, issuer=authority.subject, key=key).sign(authority_key, hashes.SHA256())
    return _write(folder, "foreign-ca", key, leaf, authority)


def _copy(original: x509.Certificate, *, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    builder = _builder(original, subject=original.subject, issuer=issuer, key=key)
    for extension in original.extensions:
        if extension.oid not in _KEY_DEPENDENT:
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder


def _impostor(original: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    builder = _builder(original, subject=original.issuer, issuer=original.issuer, key=key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.sign(key, hashes.SHA256())


def _builder(
    original: x509.Certificate, *, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(original.not_valid_before_utc)
        .not_valid_after(original.not_valid_after_utc)
    )


def _write(folder: Path, stem: str, key: ec.EllipticCurvePrivateKey, *chain: x509.Certificate) -> Credential:
    folder.mkdir(exist_ok=True)
    credential = Credential(certificate=folder / f"{stem}.crt", key=folder / f"{stem}.key")
    credential.certificate.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain))
    descriptor = os.open(credential.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return credential
