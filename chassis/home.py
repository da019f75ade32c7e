"""Where a platform keeps its files: `certs/` and `var/` under one home folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeyPairPaths:
    """Where a certificate (PEM, leaf first) and its private key (PEM, 0600) lie."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Home:
    """The layout of a home folder; makes nothing, only names."""

    path: Path

    @property
    def certs(self) -> Path:
        """Certificates and keys."""
        return self.path / "certs"

    @property
    def var(self) -> Path:
        """Databases, logs, process ids."""
        return self.path / "var"

    @property
    def log(self) -> Path:
        """Log files."""
        return self.var / "log"

    @property
    def run(self) -> Path:
        """Process ids and state of the running platform."""
        return self.var / "run"

    @property
    def trust_bundle(self) -> Path:
        """The CA bundle that a client of the public listeners passes as `--cacert`."""
        return self.certs / "trust.pem"

    @property
    def document_key(self) -> Path:
        """The key that seals the gateway's documents with secrets in its database (0600); not beside that database."""
        return self.certs / "gateway-documents.key"

    @property
    def signing_key(self) -> Path:
        """The key that seals the authorization server's signing keys in its database (0600); not beside that database."""
        return self.certs / "gateway-signing.key"

    def ca(self, name: str) -> KeyPairPaths:
        """Return the files of a CA: `root`, `tpp-issuing`, `server-issuing`, `internal`."""
        return _pair(self.certs / "ca", name)

    def server(self, name: str) -> KeyPairPaths:
        """Return the files of a server's certificate: `edge`, `authorization`, `admin`, `bank`, `portal`."""
        return _pair(self.certs / "servers", name)

    def internal(self, name: str) -> KeyPairPaths:
        """Return the files of an internal caller's certificate: `gateway`, `portal`, `operator`, `health`."""
        return _pair(self.certs / "internal", name)

    def upstream(self, name: str) -> KeyPairPaths:
        """Return the files of a certificate that the gateway shows to an upstream; the operator puts them there."""
        return _pair(self.certs / "upstreams", name)

    def tpp(self, name: str) -> Path:
        """Return the folder of a TPP's certificates and `client.json`."""
        return self.certs / "tpps" / name

    def database_url(self, name: str) -> str:
        """Return the SQLite URL of a service's database: `sandbox`, `gateway`, `bank`."""
        return f"sqlite:///{(self.var / f'{name}.sqlite').absolute()}"


def _pair(folder: Path, name: str) -> KeyPairPaths:
    return KeyPairPaths(certificate=folder / f"{name}.crt", key=folder / f"{name}.key")
