"""What is asked of an OCSP responder, and what came of it (RFC 6960 §2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Container

    from cryptography import x509


class Answer(StrEnum):
    """What a responder has said; `none` where it said nothing that can be believed."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a certificate has been revoked by its issuer; asked by the rules of a trust store."""

    store: str
    certificate: x509.Certificate
    issuer: x509.Certificate

    @property
    def key(self) -> str:
        """Return what tells this question from all others."""
        certificate, issuer = (sha256_hex(each.public_bytes(Encoding.DER)) for each in (self.certificate, self.issuer))
        return f"{self.store}:{certificate}:{issuer}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspStatus:
    """An answer, believed until `known_until` and asked for again from `refresh_at` on. Times are epoch seconds.

    `signer` is the serial number (hex) of whom the issuer has delegated its answers to, empty where it signs itself.
    """

    verdict: Answer
    as_of: float
    known_until: float
    refresh_at: float
    responder: str = ""
    revoked_at: float = 0
    detail: str = ""
    signer: str = ""

    @property
    def admits(self) -> bool:
        """Whether it speaks for the certificate."""
        return self.verdict is Answer.GOOD

    def is_believed(self, revoked: Container[int]) -> bool:
        """Whether it may serve, with what its issuer has revoked by now: a stolen signer can't speak for anybody.

        That it has spoken against somebody stays: nobody comes in because of it.
        """
        return not (self.admits and self.signer and int(self.signer, 16) in revoked)
