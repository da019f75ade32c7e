"""A TPP's folder, `certs/tpps/NAME`: its certificates, keys and `client.json`, written so that it can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from chassis.files import write_private, write_public
from chassis.home import KeyPairPaths
from sandbox.ca.model import CertificateStatus, TppCertificateKind, serial_text
from sandbox.tpps.kit import client_document
from sandbox.tpps.service import Holdings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from chassis.home import Home
    from sandbox.ca.model import CertificateRecord, IssuedCertificate

_LARGEST_FILE_BYTES = 65_536


class TppFolder:
    """The files of one TPP."""

    def __init__(self, home: Home, name: str) -> None:
        """Name the folder; nothing is made yet."""
        self.path: Path = home.tpp(name)
        self._trust_bundle = home.trust_bundle

    @property
    def listener(self) -> KeyPairPaths:
        """Where what a server of the TPP's own presents lies, for the bank that calls it."""
        return KeyPairPaths(self.path / "listener.crt", self.path / "listener.key")

    def holdings(self, records: Sequence[CertificateRecord], *, now: datetime) -> Holdings:
        """Return which key pairs here are whole and still good, and the access token."""
        good = {record.serial for record in records if record.status is CertificateStatus.VALID and record.not_after > now}
        kinds = frozenset(kind for kind in TppCertificateKind if self._serial_of_pair(kind) in good)
        token = self._client().get("registration_access_token")
        return Holdings(kinds=kinds, access_token=token if isinstance(token, str) else None)

    def serial(self, kind: TppCertificateKind) -> str | None:
        """Return the serial number of the certificate in use, if one is here."""
        certificate = self._certificate(kind)
        return serial_text(certificate.serial_number) if certificate else None

    def write_certificate(self, issued: IssuedCertificate) -> Path:
        """Put a certificate in use, the one before aside as `qwac.previous.crt`; raises `OSError`."""
        stem = issued.kind.value
        self._put_aside(stem)
        if issued.private_key is not None:
            write_private(self.path / f"{stem}.key", issued.private_key.encode())
        else:
            self._keep_key_of(stem, issued)
        write_public(self.path / f"{stem}.crt", issued.bundle.encode())
        return self.path / f"{stem}.crt"

    def write_faulty(self, issued: IssuedCertificate) -> Path:
        """Put a faulty certificate into `faults/`, where nobody takes it for a good one; raises `OSError`."""
        stem = self.path / "faults" / (issued.fault.value if issued.fault else issued.kind.value)
        if issued.private_key is not None:
            write_private(stem.with_suffix(".key"), issued.private_key.encode())
        write_public(stem.with_suffix(".crt"), issued.bundle.encode())
        return stem.with_suffix(".crt")

    def write_client(self, data: Mapping[str, Any], access_token: str) -> Path:
        """Write `client.json`, its paths relative to itself; private, for it holds the access token; raises `OSError`."""
        document = self._document(data, access_token)
        write_private(self.path / "client.json", orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        return self.path / "client.json"

    def refresh_client(self, data: Mapping[str, Any]) -> None:
        """Bring a `client.json` that is here up to date: the platform may answer on other ports now; raises `OSError`."""
        document = self._client()
        token = document.get("registration_access_token")
        if isinstance(token, str) and document != self._document(data, token):
            self.write_client(data, token)

    def _document(self, data: Mapping[str, Any], access_token: str) -> dict[str, Any]:
        depth = len(self.path.relative_to(self._trust_bundle.parent).parts)
        return client_document(data, cafile="../" * depth + self._trust_bundle.name, access_token=access_token)

    def _client(self) -> dict[str, Any]:
        try:
            document = orjson.loads((self.path / "client.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def _serial_of_pair(self, kind: TppCertificateKind) -> str | None:
        certificate = self._certificate(kind)
        if certificate is None or not _is_key_of(self.path / f"{kind}.key", certificate):
            return None
        return serial_text(certificate.serial_number)

    def _certificate(self, kind: TppCertificateKind) -> x509.Certificate | None:
        try:
            return x509.load_pem_x509_certificate((self.path / f"{kind}.crt").read_bytes()[:_LARGEST_FILE_BYTES])
        except (FileNotFoundError, ValueError):
            return None

    def _put_aside(self, stem: str) -> None:
        for suffix in ("crt", "key"):
            current = self.path / f"{stem}.{suffix}"
            if current.exists():
                current.replace(self.path / f"{stem}.previous.{suffix}")

    def _keep_key_of(self, stem: str, issued: IssuedCertificate) -> None:
        # Issued for a signing request: the key may be the one that was here before, and is then still in use.
        aside = self.path / f"{stem}.previous.key"
        if _is_key_of(aside, x509.load_pem_x509_certificate(issued.certificate.encode())):
            write_private(self.path / f"{stem}.key", aside.read_bytes())


def _is_key_of(path: Path, certificate: x509.Certificate) -> bool:
    try:
        key = serialization.load_pem_private_key(path.read_bytes()[:_LARGEST_FILE_BYTES], password=None)
    except (FileNotFoundError, ValueError, TypeError):
        return False
    return key.public_key() == certificate.public_key()
