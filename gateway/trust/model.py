"""What a trust store holds: CA certificates, their revocation lists, and the reasons for refusing either."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.trust.serials import RevokedSerials

TPP_STORE = "tpp"
PUSHED = "pushed"


class TrustKind(StrEnum):
    """What a certificate of a trust store is for."""

    ANCHOR = "anchor"
    INTERMEDIATE = "intermediate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustCertificate:
    """A CA certificate of a trust store; `sha256` of its DER, lower-case hex."""

    sha256: str
    kind: TrustKind
    pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A complete CRL; `issuer` is the SHA-256 hex of the issuer name's DER, `source` where it came from."""

    issuer: str
    number: int
    this_update: datetime
    next_update: datetime
    revoked: RevokedSerials
    der: bytes
    sha256: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInForce:
    """What an operator wants to know of a CRL; times are epoch seconds."""

    issuer: str
    number: int
    entries: int
    this_update: float
    next_update: float
    source: str
    taken_at: float


class TrustRefusal(Exception):
    """A change of trust that is refused whole; `field` is what is wrong with the request."""

    def __init__(self, field: str, reason: str) -> None:
        """Say what is wrong and what would be right."""
        super().__init__(reason)
        self.field = field
        self.reason = reason


class OutdatedCrl(TrustRefusal):
    """A CRL older than the one in force."""
