"""What is wrong with a chain or its key, each with what would be right (RFC 5280 §4.2, §6.1; RFC 8446 §4.4.2)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.trust.authorities import extension_of, fault_of_authority, has_issued
from gateway.trust.keys import weakness_of_key, weakness_of_signature

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.certificates.model import CertificateVersion


def faults_of_chain(chain: Sequence[x509.Certificate]) -> Iterator[str]:
    """Yield what is wrong with a chain, leaf first."""
    leaf = chain[0]
    constraints = extension_of(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield f"{_name(leaf)} is a CA: the leaf comes first, and a CA's own certificate is no server's or client's"
    weakness = weakness_of_key(leaf) or weakness_of_signature(leaf)
    if weakness is not None:
        yield f"{_name(leaf)} is too weak: {weakness}"
    for authority in chain[1:]:
        fault = fault_of_authority(authority)
        if fault is not None:
            yield fault
    for issued, authority in pairwise(chain):
        if not has_issued(authority, issued):
            yield (
                f"the chain is broken: {_name(authority)} has not issued {_name(issued)}; "
                f"after it comes its issuer, {issued.issuer.rfc4514_string()}"
            )


def faults_of_client(version: CertificateVersion) -> Iterator[str]:
    """Yield why a TLS client can't prove itself with a version (RFC 5280 §4.2.1.3, §4.2.1.12)."""
    if version.key_pem is None:
        yield "has no private key: nobody can prove anything with it"
    purposes = extension_of(version.leaf, x509.ExtendedKeyUsage)
    if purposes is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        yield "is for no TLS client: its extendedKeyUsage lacks clientAuth"
    usage = extension_of(version.leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        yield "may not sign a handshake: its keyUsage lacks digitalSignature"


def fault_of_key(pem: str, leaf: x509.Certificate) -> str | None:
    """Return why this is not the leaf's private key, None where it is. No word of the key itself."""
    try:
        key = load_pem_private_key(pem.encode("utf-8", "surrogatepass"), password=None)
    except TypeError:
        return "the key is encrypted: send it decrypted; it is sealed where it is stored, and never shown again"
    except (ValueError, UnsupportedAlgorithm):
        return "no readable private key in PEM: PKCS #8 (BEGIN PRIVATE KEY) is right"
    try:
        presented, expected = (
            each.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for each in (key.public_key(), leaf.public_key())
        )
    except (ValueError, UnsupportedAlgorithm):
        return None  # the certificate's key can't be used, which is its own fault
    return None if presented == expected else f"this is not the private key of {_name(leaf)}"


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or f"serial {certificate.serial_number:x}"
