"""Key, certificate and chain in one PKCS #12 file (RFC 7292): AES-256 under PBES2, and a MAC by HMAC-SHA-256."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import PBES, serialize_key_and_certificates

from sandbox.ca.keys import load_private_key

if TYPE_CHECKING:
    from sandbox.ca.model import IssuedCertificate

_ROUNDS: Final = 50_000
_GROUPS, _GROUP_LENGTH = 6, 4
# Letters and digits that nobody takes for one another: 24 of 32 are 120 bits.
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"


def new_passphrase() -> str:
    """Make a passphrase that may be read out and typed: `k3dw-…`, six groups of four."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def pkcs12_of(issued: IssuedCertificate, *, name: str, passphrase: str) -> bytes:
    """Write the store; `issued` must hold its private key, and `name` is what keychains show."""
    key = load_private_key((issued.private_key or "").encode())
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_ROUNDS)
        .key_cert_algorithm(PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(passphrase.encode())
    )
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    chain = x509.load_pem_x509_certificates(issued.chain.encode()) if issued.chain else []
    return serialize_key_and_certificates(name.encode(), key, certificate, chain, encryption)
