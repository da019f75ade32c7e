"""A home with an internal CA, servers' and callers' certificates, for tests of the internal listeners."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chassis.files import write_private, write_public

if TYPE_CHECKING:
    from chassis.home import Home, KeyPairPaths

_DAY = dt.timedelta(days=1)


class InternalCa:
    """Issues what internal listeners present and accept."""

    def __init__(self, name: str = "test internal CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._build(self._name, self._key, ca=True, names=[])

    def issue(self, pair: KeyPairPaths, *, names: list[str]) -> None:
        """Write a leaf for `names` (SAN) and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), key, ca=False, names=names)
        write_private(pair.key, _key_pem(key))
        write_public(pair.certificate, leaf.public_bytes(serialization.Encoding.PEM))

    def install(self, home: Home) -> None:
        """Make this CA the home's internal CA."""
        write_public(home.ca("internal").certificate, self.certificate.public_bytes(serialization.Encoding.PEM))

    def _build(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool, names: list[str]) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = (
            x509.CertificateBuilder(issuer_name=self._name, subject_name=subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def internal_home(home: Home) -> InternalCa:
    """Fill `home` with an internal CA, the bank's server certificate and the callers gateway, portal, operator and health."""
    ca = InternalCa()
    ca.install(home)
    ca.issue(home.server("bank"), names=["bank.internal", "bank", "localhost"])
    for caller in ("gateway", "portal", "operator", "health"):
        ca.issue(home.internal(caller), names=[f"{caller}.internal"])
    return ca
