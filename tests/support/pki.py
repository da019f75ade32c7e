"""A tiny PSD2 PKI for tests: authorities, and leaves that are right, or wrong in exactly one way."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey, OKPKey, RSAKey

from psd2.qcstatements import QC_STATEMENTS_OID, encode_qcstatements
from psd2.qualified import Psd2Statement, QcStatements, QcType
from psd2.roles import PspRole
from psd2.thumbprints import sha256_hex, x5t_s256

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DAY = dt.timedelta(days=1)
NUMBER = "PSDDE-BAFIN-100001"
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
ALL_ROLES = frozenset({PspRole.AI, PspRole.PI, PspRole.IC})


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, and the certificates a client sends after it."""

    certificate: x509.Certificate
    key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        return "".join(
            each.public_bytes(serialization.Encoding.PEM).decode("ascii") for each in (self.certificate, *self.chain)
        )

    @property
    def key_pem(self) -> str:
        unencrypted = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted).decode(
            "ascii"
        )

    @property
    def sha256(self) -> str:
        return sha256_hex(self.der)

    @property
    def thumbprint(self) -> str:
        return x5t_s256(self.der)

    def write(self, folder: Path, name: str) -> tuple[str, str]:
        """Write `name`.crt and `name`.key; returns both paths, as TLS clients want them."""
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_text(self.pem)
        key.write_text(self.key_pem)
        return str(certificate), str(key)


class Authority:
    """A certificate authority; without a parent, a root."""

    def __init__(
        self,
        name: str = "Test QTSP",
        *,
        parent: Authority | None = None,
        path_length: int | None = None,
        not_before: dt.datetime | None = None,
        not_after: dt.datetime | None = None,
    ) -> None:
        self.key: PrivateKey = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.parent = parent
        now = dt.datetime.now(dt.UTC)
        builder = _builder(self.name, self.key, parent or self)
        self.certificate = (
            builder.not_valid_before(not_before or now - 400 * DAY)
            .not_valid_after(not_after or now + 400 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign((parent or self).key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What a client sends after its leaf: the authorities below the root."""
        return () if self.parent is None else (self.certificate, *self.parent.chain)

    def qwac(
        self,
        *,
        number: str | None = NUMBER,
        roles: frozenset[PspRole] = ALL_ROLES,
        types: frozenset[QcType] = frozenset({QcType.WEB}),
        usages: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH),
        not_before: dt.datetime | None = None,
        not_after: dt.datetime | None = None,
        statements: bytes | None = None,
        subject_key: PrivateKey | None = None,
        with_san: bool = True,
        more_names: Sequence[x509.GeneralName] = (),
    ) -> Issued:
        """Issue a QWAC; each argument makes it wrong in one way, or gives it more names."""
        psd2 = Psd2Statement(roles=roles, nca_name="BaFin", nca_id="DE-BAFIN")
        encoded = encode_qcstatements(QcStatements(compliance=True, types=types, sscd=False, pds=(), psd2=psd2))
        key = subject_key or ec.generate_private_key(ec.SECP256R1())
        builder = self._leaf(key, number, not_before, not_after).add_extension(_usage(digital_signature=True), critical=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if with_san:
            names = x509.SubjectAlternativeName([x509.DNSName("tpp.example"), *more_names])
            builder = builder.add_extension(names, critical=False)
        return self._signed(builder, key, statements if statements is not None else encoded)

    def qseal(
        self,
        *,
        number: str | None = NUMBER,
        not_before: dt.datetime | None = None,
        not_after: dt.datetime | None = None,
        subject_key: PrivateKey | None = None,
        usages: tuple[str, ...] = ("digital_signature", "content_commitment"),
    ) -> Issued:
        """Issue a QSealC: for signatures on messages, not for TLS; each argument makes it wrong in one way."""
        psd2 = Psd2Statement(roles=ALL_ROLES, nca_name="BaFin", nca_id="DE-BAFIN")
        encoded = encode_qcstatements(
            QcStatements(compliance=True, types=frozenset({QcType.ESEAL}), sscd=False, pds=(), psd2=psd2)
        )
        key = subject_key or ec.generate_private_key(ec.SECP256R1())
        builder = self._leaf(key, number, not_before, not_after).add_extension(
            _usage(**dict.fromkeys(usages, True)), critical=True
        )
        return self._signed(builder, key, encoded)

    def plain(self) -> Issued:
        """Issue a client certificate without any QCStatement."""
        return self.qwac(statements=b"")

    def server(self, *names: str, not_before: dt.datetime | None = None, not_after: dt.datetime | None = None) -> Issued:
        """Issue a server or internal certificate for these DNS names."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            self._leaf(key, None, not_before, not_after)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
            )
        )
        return self._signed(builder, key, b"")

    def crl(
        self,
        *revoked: Issued,
        number: int = 1,
        this_update: dt.datetime | None = None,
        next_update: dt.datetime | None = None,
    ) -> x509.CertificateRevocationList:
        """Issue a CRL that lists `revoked`."""
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateRevocationListBuilder(issuer_name=self.name)
            .last_update(this_update or now - dt.timedelta(hours=1))
            .next_update(next_update or now + DAY)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for each in revoked:
            entry = x509.RevokedCertificateBuilder(serial_number=each.certificate.serial_number, revocation_date=now)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256())

    def _leaf(
        self,
        key: PrivateKey,
        number: str | None,
        not_before: dt.datetime | None,
        not_after: dt.datetime | None,
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        attributes = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test TPP"),
            x509.NameAttribute(NameOID.COMMON_NAME, "tpp.example"),
        ]
        if number is not None:
            attributes.insert(2, x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, number))
        return (
            _builder(x509.Name(attributes), key, self)
            .not_valid_before(not_before or now - DAY)
            .not_valid_after(not_after or now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )

    def _signed(self, builder: x509.CertificateBuilder, key: PrivateKey, statements: bytes) -> Issued:
        if statements:
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(QC_STATEMENTS_OID), statements)
            builder = builder.add_extension(extension, critical=False)
        has_own_hash = isinstance(self.key, ed25519.Ed25519PrivateKey)
        return Issued(builder.sign(self.key, None if has_own_hash else hashes.SHA256()), key, self.chain)


def self_signed() -> Issued:
    """Make a certificate that says all a QWAC says and that nobody vouches for."""
    authority = Authority("Nobody")
    return authority.qwac(subject_key=authority.key)


def self_issued(
    *,
    key: PrivateKey | None = None,
    number: str = NUMBER,
    usages: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.CLIENT_AUTH,),
    not_before: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
) -> Issued:
    """Make a certificate that names itself as its issuer, as `openssl req -x509` does; it claims to be a QWAC."""
    authority = Authority("Itself")
    authority.key = key or authority.key
    authority.name = authority.qwac(number=number).certificate.subject
    return authority.qwac(number=number, subject_key=authority.key, usages=usages, not_before=not_before, not_after=not_after)


def key_of(certificate: Issued) -> dict[str, object]:
    """Return the JWK of the certificate's key, with the certificate beside it (RFC 7517 §4.7)."""
    public = certificate.certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kinds: tuple[tuple[type, type[RSAKey | OKPKey | ECKey]], ...] = (
        (rsa.RSAPrivateKey, RSAKey),
        (ed25519.Ed25519PrivateKey, OKPKey),
    )
    kind = next((jwk for key, jwk in kinds if isinstance(certificate.key, key)), ECKey)
    return {**kind.import_key(public).as_dict(private=False), "x5c": [base64.b64encode(certificate.der).decode("ascii")]}


def _builder(subject: x509.Name, key: PrivateKey, issuer: Authority) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer_name=issuer.name, subject_name=subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )


def _usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def twin_of(certificate: x509.Certificate, curve: ec.EllipticCurve) -> x509.Certificate:
    """Return the certificate as anybody can make it: with the other one of the two ECDSA signatures that fit."""
    der, tbs = certificate.public_bytes(serialization.Encoding.DER), certificate.tbs_certificate_bytes
    r, s = decode_dss_signature(certificate.signature)
    signature = encode_dss_signature(r, curve.group_order - s)
    algorithm_at = der.index(tbs) + len(tbs)
    # The AlgorithmIdentifier of ECDSA has twelve octets, whatever the hash.
    parts = tbs + der[algorithm_at : algorithm_at + 12] + _tlv(0x03, b"\x00" + signature)
    return x509.load_der_x509_certificate(_tlv(0x30, parts))


def _tlv(tag: int, value: bytes) -> bytes:
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    octets = len(value).to_bytes(1 if len(value) <= 0xFF else 2, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + value
