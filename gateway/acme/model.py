"""Accounts at CAs, the certificates that are had from them, and how far each has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class KeyType(StrEnum):
    """Keys that public CAs take and clients of today know."""

    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalAccount:
    """Binds an account to one that the operator has at the CA (RFC 8555 §7.3.4)."""

    key_id: str
    hmac_key: str = field(repr=False)
    algorithm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeAccount:
    """Who orders, and where."""

    name: str
    directory: str
    terms_agreed: bool
    contact: tuple[str, ...]
    ca_bundle: str | None
    external_account: ExternalAccount | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeCertificate:
    """What is wanted, and how long before its end the next one is ordered."""

    name: str
    account: str
    names: tuple[str, ...]
    key_type: KeyType
    renew_before: timedelta
    asks_when: bool

    @property
    def fingerprint(self) -> str:
        """What an operator may change in the hope that it succeeds then."""
        return f"{self.account} {self.key_type} {' '.join(self.names)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """An order that has been placed at the CA, with the key that its certificate will have."""

    directory: str
    url: str
    key_pem: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a certificate has come.

    `wanted`: the fingerprint of what was last tried. `renew_at`: what the CA suggested for the version `sha256`, and
    `ask_at` when to ask again.
    """

    name: str
    wanted: str = ""
    tried_at: datetime | None = None
    next_try_at: datetime | None = None
    leased_until: datetime | None = None
    failures: int = 0
    failure: str | None = None
    obtained_at: datetime | None = None
    sha256: str | None = None
    renew_at: datetime | None = None
    ask_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Obtained:
    """What came of an order: the chain, leaf first, and the leaf's key."""

    chain_pem: str
    key_pem: str = field(repr=False)


class OrderFailed(Exception):
    """No certificate came; the message says why. `retry_after`: how long the CA asked to be left alone."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
