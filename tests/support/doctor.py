"""A certificate doctor with a tiny sandbox around it, and certificates that are strange in exactly one way."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from psd2.authorisation_number import AuthorisationNumber
from psd2.clock import FixedClock
from psd2.qcstatements import QC_STATEMENTS_OID, encode_qcstatements
from psd2.qualified import Psd2Statement, QcStatements, QcType
from psd2.roles import PspRole
from sandbox.ca.profiles import AuthorityName
from sandbox.doctor.service import Doctor
from sandbox.tpps.model import Profile, Tpp, TppStatus
from tests.support.pki import DAY, Authority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.ca.model import CertificateRecord

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
NUMBER = "PSDDE-BAFIN-100001"
ISSUING = Authority("Issuing")
OTHER = Authority("Server issuing")
KEY = ec.generate_private_key(ec.SECP256R1())
PSD2 = Psd2Statement(roles=frozenset({PspRole.AI, PspRole.PI}), nca_name="BaFin", nca_id="DE-BAFIN")
WEB = QcStatements(compliance=True, types=frozenset({QcType.WEB}), psd2=PSD2)
SEAL = QcStatements(compliance=True, types=frozenset({QcType.ESEAL}), psd2=PSD2)
ADDRESSES: tuple[x509.ExtensionType, ...] = (
    x509.CRLDistributionPoints(
        [x509.DistributionPoint([x509.UniformResourceIdentifier("http://ca.example/crl")], None, None, None)]
    ),
    x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example"))]
    ),
)


class MemoryArchive:
    """What a sandbox has written down, in dictionaries."""

    def __init__(self, *records: CertificateRecord, tpps: Sequence[Tpp] = ()) -> None:
        self.records = {record.serial: record for record in records}
        self.tpps = {str(tpp.authorisation_number): tpp for tpp in tpps}

    def certificate(self, serial: str) -> CertificateRecord | None:
        return self.records.get(serial)

    def tpp(self, authorisation_number: str) -> Tpp | None:
        return self.tpps.get(authorisation_number)


def tpp(number: str = NUMBER, *, status: TppStatus = TppStatus.ACTIVE, roles: frozenset[PspRole] = PSD2.roles) -> Tpp:
    """Make a registered TPP."""
    return Tpp(
        authorisation_number=AuthorisationNumber.parse(number),
        name="acme",
        organisation="Acme GmbH",
        roles=roles,
        redirect_uris=("https://acme.example/callback",),
        profile=Profile.BERLIN,
        client_id=number,
        seed=None,
        status=status,
        created_at=0.0,
    )


def doctor(*, archive: MemoryArchive | None = None, at: dt.datetime = NOW) -> Doctor:
    """Make a doctor in a sandbox whose issuing authority is ISSUING; the TPP of NUMBER is registered."""
    authorities = {AuthorityName.TPP_ISSUING: ISSUING.certificate, AuthorityName.SERVER_ISSUING: OTHER.certificate}
    return Doctor(clock=FixedClock(at), authorities=authorities, archive=archive or MemoryArchive(tpps=[tpp()]))


def lonely_doctor(at: dt.datetime = NOW) -> Doctor:
    """Make a doctor with no sandbox around."""
    return Doctor(clock=FixedClock(at), authorities=None, archive=None)


def usage(*bits: str) -> x509.KeyUsage:
    """Make a keyUsage with these bits, by the names of the library."""
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in bits for name in names})


SUBJECT = (
    (NameOID.COUNTRY_NAME, "DE"),
    (NameOID.ORGANIZATION_NAME, "Acme GmbH"),
    (NameOID.ORGANIZATION_IDENTIFIER, NUMBER),
    (NameOID.COMMON_NAME, "acme.example"),
)


def strange(  # one keyword for each thing that can be wrong
    *,
    subject: Sequence[tuple[x509.ObjectIdentifier, str]] = SUBJECT,
    statements: QcStatements | bytes | None = WEB,
    key: Any = KEY,
    key_usage: x509.KeyUsage | None = None,
    has_key_usage: bool = True,
    purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH),
    policies: Sequence[str] = ("0.4.0.194112.1.6",),
    dns_names: Sequence[str] = ("acme.example",),
    addresses: Sequence[x509.ExtensionType] = ADDRESSES,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    is_authority: bool = False,
    has_issuer_key: bool = True,
    statements_critical: bool = False,
    signature: Any = None,
    not_before: dt.datetime = NOW - DAY,
    not_after: dt.datetime = NOW + 200 * DAY,
    issuer: Authority = ISSUING,
) -> bytes:
    """Make the DER of a right QWAC, or of one that is wrong in the ways asked for."""
    builder = (
        x509.CertificateBuilder(
            issuer_name=issuer.name, subject_name=x509.Name([x509.NameAttribute(*each) for each in subject])
        )
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    wanted: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=is_authority, path_length=None), True)]
    if has_key_usage:
        wanted.append((key_usage or usage("digital_signature"), True))
    if has_issuer_key:
        wanted.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False))
    if purposes:
        wanted.append((x509.ExtendedKeyUsage(purposes), False))
    if policies:
        oids = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in policies]
        wanted.append((x509.CertificatePolicies(oids), False))
    if dns_names:
        wanted.append((x509.SubjectAlternativeName([x509.DNSName(name) for name in dns_names]), False))
    if statements is not None:
        encoded = encode_qcstatements(statements) if isinstance(statements, QcStatements) else statements
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(QC_STATEMENTS_OID), encoded)
        wanted.append((extension, statements_critical))
    for value, critical in (*wanted, *((each, False) for each in addresses), *extensions):
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(issuer.key, signature or hashes.SHA256()).public_bytes(Encoding.DER)


def seal(**changes: Any) -> bytes:
    """Make the DER of a right QSealC, or of one that is wrong in the ways asked for."""
    right: dict[str, Any] = {
        "statements": SEAL,
        "key_usage": usage("content_commitment"),
        "purposes": (),
        "policies": ("0.4.0.194112.1.1",),
        "dns_names": (),
    }
    return strange(**{**right, **changes})


def pem(*ders: bytes) -> bytes:
    """Write certificates as a PEM bundle."""
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders)
