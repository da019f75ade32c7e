"""A certificate of a client's own making, by which it authenticates: `client.crt`, signed by `client.key` (RFC 8705 §2.2)."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chassis.files import write_public

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

METHOD: Final = "self_signed_tls_client_auth"
LIFE: Final = timedelta(days=730)
# A clock that is a little behind ours must not find it too young.
_EARLIER: Final = timedelta(minutes=5)


def is_of_no_use(metadata: Mapping[str, Any]) -> bool:
    """Answer whether a client could be registered so and get no further.

    Its tokens would be bound to its own certificate (RFC 8705 §3), and accounts and payments take the QWAC only.
    """
    return metadata.get("token_endpoint_auth_method") == METHOD and not metadata.get("dpop_bound_access_tokens")


def with_own_certificate(metadata: Mapping[str, Any], key: Path, *, name: str, now: datetime) -> dict[str, Any]:
    """Return the metadata, the certificate of `key` beside its public half where the client authenticates by one."""
    if metadata.get("token_endpoint_auth_method") != METHOD or not key.exists() or "jwks" not in metadata:
        return dict(metadata)
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        return dict(metadata)
    path = key.with_suffix(".crt")
    if not path.exists():
        write_public(path, _made(private, name=name, now=now).public_bytes(serialization.Encoding.PEM))
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    keys = [_beside(each, certificate) for each in metadata["jwks"]["keys"]]
    return {**metadata, "jwks": {**metadata["jwks"], "keys": keys}}


def _made(key: ec.EllipticCurvePrivateKey, *, name: str, now: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} client")])
    begins = now - _EARLIER
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=subject, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + LIFE)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def _beside(entry: Mapping[str, Any], certificate: x509.Certificate) -> dict[str, Any]:
    """Return a JWK, with the certificate where it is that key's."""
    numbers = certificate.public_key()
    if not isinstance(numbers, ec.EllipticCurvePublicKey) or entry.get("x") != _text(numbers.public_numbers().x):
        return dict(entry)
    return {**entry, "x5c": [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode("ascii")]}


def _text(coordinate: int) -> str:
    return base64.urlsafe_b64encode(coordinate.to_bytes(32, "big")).rstrip(b"=").decode("ascii")
