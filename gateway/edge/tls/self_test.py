"""Proves at start that a certificate nobody vouches for gets through the handshake, on TLS 1.2 and 1.3, without a network."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chassis.files import write_private

_MOST_FLIGHTS = 10
_AGO = timedelta(days=2)


class UntrustedCertificateStopped(RuntimeError):
    """A handshake with an untrusted certificate did not reach the application."""


def require_untrusted_certificate_reaches(context: ssl.SSLContext) -> None:
    """Shake hands with `context` as a client with an expired, self-signed certificate; raises `UntrustedCertificateStopped`."""
    with tempfile.TemporaryDirectory() as folder:
        pem, der = _expired_self_signed(Path(folder) / "client.pem")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            try:
                presented = _presented_to(context, _client(pem, version))
            except ssl.SSLError as error:
                msg = f"{version.name}: {error}"
                raise UntrustedCertificateStopped(msg) from error
            if presented != der:
                msg = f"{version.name}: the certificate was not handed on"
                raise UntrustedCertificateStopped(msg)


def _expired_self_signed(path: Path) -> tuple[Path, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "start-up self-test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * _AGO)
        .not_valid_after(now - _AGO)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(path, key_pem + certificate.public_bytes(serialization.Encoding.PEM))
    return path, certificate.public_bytes(serialization.Encoding.DER)


def _client(pem: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE  # it tests what the server does with the client's certificate
    client.minimum_version = client.maximum_version = version
    client.load_cert_chain(pem)
    return client


def _presented_to(server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> bytes | None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    for _ in range(_MOST_FLIGHTS):
        client_done, server_done = _advanced(client), _advanced(server)
        if client_done and server_done:
            return server.getpeercert(binary_form=True)
    msg = "the handshake does not end"
    raise UntrustedCertificateStopped(msg)


def _advanced(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
