"""All that a judgement of certificates rests on, in memory and frozen: anchors, CRLs, block list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from cryptography import x509


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlInForce:
    """A CRL, as far as judging goes. Times are epoch seconds."""

    number: int
    this_update: float
    next_update: float
    revoked: Container[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSnapshot:
    """One state of a trust store; `crls` by the SHA-256 hex of the issuer name's DER, `blocked` by that of the leaf."""

    anchors: tuple[x509.Certificate, ...] = ()
    intermediates: tuple[x509.Certificate, ...] = ()
    crls: Mapping[str, CrlInForce]
    blocked: frozenset[str] = frozenset()
