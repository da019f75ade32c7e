"""A named certificate and its versions; who refers to it by name gets the version that is current."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from datetime import datetime


class Stage(StrEnum):
    """In use, to come, used before (a way back), or kept for the record only."""

    CURRENT = "current"
    PENDING = "pending"
    PREVIOUS = "previous"
    DEPRECATED = "deprecated"


@dataclass(frozen=True, kw_only=True)
class CertificateVersion:
    """One version, known by the SHA-256 of its leaf; `place` is where it stands in its document."""

    place: int
    stage: Stage
    chain: tuple[x509.Certificate, ...]
    key_pem: str | None = field(repr=False)

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate itself; what follows in the chain has issued it."""
        return self.chain[0]

    @property
    def not_after(self) -> datetime:
        """When the first certificate of the chain expires."""
        return min(each.not_valid_after_utc for each in self.chain)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the leaf's DER, lower-case hex."""
        return sha256_hex(self.leaf.public_bytes(Encoding.DER))

    @cached_property
    def chain_pem(self) -> str:
        """The chain as TLS wants it, leaf first."""
        return "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in self.chain)

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The DNS names of its subjectAltName."""
        try:
            names = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return ()
        return tuple(names.get_values_for_type(x509.DNSName))


@dataclass(frozen=True, kw_only=True)
class StoredCertificate:
    """What stands under one name."""

    name: str
    description: str
    versions: tuple[CertificateVersion, ...]

    @cached_property
    def current(self) -> CertificateVersion:
        """The version in use; there is always one."""
        return next(each for each in self.versions if each.stage is Stage.CURRENT)
