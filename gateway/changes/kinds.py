"""The kinds of change that edge workers have to hear of; see docs/architecture.md §3.5."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """What a change touched; the row's `key` names which one."""

    TOKEN = "token"  # noqa: S105  a kind of change, not a secret; key: SHA-256 of the token, or `*`
    CLIENT = "client"  # key: client_id
    CLIENT_CERTIFICATE = "client_certificate"  # key: SHA-256 of the certificate
    TPP = "tpp"  # key: authorisation number
    TRUST_STORE = "trust_store"  # key: name of the store
    CRL = "crl"  # key: name of the store
    OCSP = "ocsp"  # key: of the question (gateway.trust.ocsp_status)
    BLOCK_LIST = "block_list"  # key: SHA-256 of the certificate
    BLOCKED_ADDRESS = "blocked_address"  # key: until when (epoch seconds), a space, the address (gateway.limits.announcements)
    CONFIGURATION = "configuration"  # key: a document (`kind/name`), or `*`


EVERYTHING = "*"
"""The key that stands for all of a kind, where naming each would be too long a list."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the feed; a `kind` that newer code has added is kept as its text."""

    position: int
    kind: str
    key: str
