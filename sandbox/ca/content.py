"""What goes into a certificate, and the builder that puts it there (RFC 5280 §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from psd2.qcstatements import QC_STATEMENTS_OID
from sandbox.ca.profiles import KeyUsageBit, Purpose

if TYPE_CHECKING:
    from datetime import datetime
    from ipaddress import IPv4Address, IPv6Address

    from sandbox.ca.keys import PublicKey
    from sandbox.ca.model import TppSubject
    from sandbox.ca.profiles import Operator

QC_STATEMENTS: Final = x509.ObjectIdentifier(QC_STATEMENTS_OID)
# Netscape's comment extension: shown by every tool, judged by none. It labels test certificates with a fault.
COMMENT: Final = x509.ObjectIdentifier("2.16.840.1.113730.1.13")
_IA5_STRING_TAG: Final = 0x16
_MAX_COMMENT: Final = 127

PURPOSE_OIDS: Final = {
    Purpose.SERVER_AUTH: ExtendedKeyUsageOID.SERVER_AUTH,
    Purpose.CLIENT_AUTH: ExtendedKeyUsageOID.CLIENT_AUTH,
    Purpose.OCSP_SIGNING: ExtendedKeyUsageOID.OCSP_SIGNING,
}


@dataclass(frozen=True, slots=True)
class PkiAddresses:
    """Where one authority's revocations and certificate are served, over plain HTTP (RFC 5280 §4.2.1.13, §4.2.2.1)."""

    crl: str
    ocsp: str
    certificate: str


def pki_addresses(base: str, ca: str) -> PkiAddresses:
    """Return the addresses of `ca` below `base`, such as `http://localhost:8439/pki`."""
    return PkiAddresses(crl=f"{base}/crl/{ca}.crl", ocsp=f"{base}/ocsp/{ca}", certificate=f"{base}/ca/{ca}.crt")


@dataclass(frozen=True, slots=True)
class Content:
    """Everything in a certificate but its issuer and signature."""

    serial: int
    subject: x509.Name
    public_key: PublicKey
    not_before: datetime
    not_after: datetime
    key_usage: frozenset[KeyUsageBit]
    path_length: int | None = None  # not None makes it an authority
    extended_key_usage: tuple[Purpose, ...] = ()
    policies: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[IPv4Address | IPv6Address, ...] = ()
    qc_statements: bytes | None = None
    ocsp_no_check: bool = False
    addresses: PkiAddresses | None = None
    comment: str | None = None


def authority_subject(operator: Operator, common_name: str) -> x509.Name:
    """Name one of the platform's own (EN 319 412-2 §4.2.3.1: country, organisation, common name)."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, operator.country),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, operator.organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ],
    )


def tpp_subject(tpp: TppSubject, *, common_name: str) -> x509.Name:
    """Name a TPP (EN 319 412-3 §4.2.1, TS 119 495 §5.3: organizationIdentifier is its authorisation number)."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, tpp.country),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, tpp.organisation),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, tpp.authorisation_number),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ],
    )


def certificate_builder(content: Content, *, issuer_name: x509.Name, issuer_key: PublicKey) -> x509.CertificateBuilder:
    """Put `content` into a builder that only needs signing; its bytes are the same each time."""
    builder = (
        x509.CertificateBuilder(issuer_name=issuer_name, subject_name=content.subject)
        .public_key(content.public_key)
        .serial_number(content.serial)
        .not_valid_before(content.not_before)
        .not_valid_after(content.not_after)
    )
    for extension, critical in certificate_extensions(content, issuer_key=issuer_key):
        builder = builder.add_extension(extension, critical=critical)
    return builder


def certificate_extensions(content: Content, *, issuer_key: PublicKey) -> list[tuple[x509.ExtensionType, bool]]:
    """List the extensions with their criticality (RFC 5280 §4.2.1, EN 319 412-2 §4.3)."""
    return [
        (x509.BasicConstraints(ca=content.path_length is not None, path_length=content.path_length), True),
        (_key_usage(content.key_usage), True),
        (x509.SubjectKeyIdentifier.from_public_key(content.public_key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), False),
        *((extension, False) for extension in _purposes_and_names(content)),
        *((extension, False) for extension in _addresses(content.addresses)),
        *((extension, False) for extension in _statements(content)),
    ]


def _key_usage(bits: frozenset[KeyUsageBit]) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=KeyUsageBit.DIGITAL_SIGNATURE in bits,
        content_commitment=KeyUsageBit.CONTENT_COMMITMENT in bits,
        key_encipherment=KeyUsageBit.KEY_ENCIPHERMENT in bits,
        data_encipherment=KeyUsageBit.DATA_ENCIPHERMENT in bits,
        key_agreement=KeyUsageBit.KEY_AGREEMENT in bits,
        key_cert_sign=KeyUsageBit.KEY_CERT_SIGN in bits,
        crl_sign=KeyUsageBit.CRL_SIGN in bits,
        encipher_only=False,
        decipher_only=False,
    )


def _purposes_and_names(content: Content) -> list[x509.ExtensionType]:
    extensions: list[x509.ExtensionType] = []
    if content.extended_key_usage:
        extensions.append(x509.ExtendedKeyUsage([PURPOSE_OIDS[purpose] for purpose in content.extended_key_usage]))
    names = [x509.DNSName(name) for name in content.dns_names]
    names_and_addresses = [*names, *(x509.IPAddress(address) for address in content.ip_addresses)]
    if names_and_addresses:
        extensions.append(x509.SubjectAlternativeName(names_and_addresses))
    if content.policies:
        policies = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in content.policies]
        extensions.append(x509.CertificatePolicies(policies))
    return extensions


def _addresses(addresses: PkiAddresses | None) -> list[x509.ExtensionType]:
    if addresses is None:
        return []
    full_name = [x509.UniformResourceIdentifier(addresses.crl)]
    methods = (
        (AuthorityInformationAccessOID.OCSP, addresses.ocsp),
        (AuthorityInformationAccessOID.CA_ISSUERS, addresses.certificate),
    )
    return [
        x509.CRLDistributionPoints([x509.DistributionPoint(full_name, relative_name=None, reasons=None, crl_issuer=None)]),
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in methods],
        ),
    ]


def _statements(content: Content) -> list[x509.ExtensionType]:
    extensions: list[x509.ExtensionType] = []
    if content.qc_statements is not None:
        extensions.append(x509.UnrecognizedExtension(QC_STATEMENTS, content.qc_statements))
    if content.ocsp_no_check:
        extensions.append(x509.OCSPNoCheck())
    if content.comment is not None:
        text = content.comment.encode("ascii")[:_MAX_COMMENT]
        extensions.append(x509.UnrecognizedExtension(COMMENT, bytes((_IA5_STRING_TAG, len(text))) + text))
    return extensions
