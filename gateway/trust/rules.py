"""How a trust store judges: what its certificates have to be, and how their revocation is found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

DEFAULT_CHAIN_DEPTH: Final = 3


class Profile(StrEnum):
    """What a store's leaves are: PSD2 certificates, or those of any TLS client."""

    PSD2 = "psd2"
    CLIENT = "client"


class Method(StrEnum):
    """Where revocation is looked up. With `both`, neither may know of one, and either is enough to know that there is none."""

    CRL = "crl"
    OCSP = "ocsp"
    BOTH = "both"
    NONE = "none"

    @property
    def reads_lists(self) -> bool:
        """Whether a CRL tells the status."""
        return self in {Method.CRL, Method.BOTH}

    @property
    def asks_responders(self) -> bool:
        """Whether an OCSP responder tells it."""
        return self in {Method.OCSP, Method.BOTH}


class UnknownStatus(StrEnum):
    """What an unknown status means: no entry (`hard`), or entry (`soft`)."""

    HARD = "hard"
    SOFT = "soft"


class Scope(StrEnum):
    """Whose status has to be known: the leaf's, or that of every certificate below the anchor."""

    LEAF = "leaf"
    CHAIN = "chain"


class Nonce(StrEnum):
    """Whether OCSP requests carry a nonce, and whether the answer must repeat it (RFC 9654)."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlRules:
    """`points` are addresses to fetch lists from, beside those that certificates name where `fetch` says so."""

    grace_seconds: float = 0
    fetch: bool = False
    points: tuple[str, ...] = ()
    every_seconds: float = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspRules:
    """`responder` takes the place of what certificates name; an answer is asked for anew after `refresh_seconds`."""

    responder: str | None = None
    nonce: Nonce = Nonce.OFF
    deadline_seconds: float = 2
    refresh_seconds: float = 3_600
    retry_seconds: float = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationRules:
    """How revocation is found out; `internal_hosts` (`host:port`) may be called although they are not on the internet."""

    method: Method = Method.CRL
    unknown: UnknownStatus = UnknownStatus.HARD
    scope: Scope = Scope.LEAF
    crl: CrlRules = field(default_factory=CrlRules)
    ocsp: OcspRules = field(default_factory=OcspRules)
    internal_hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRules:
    """How one store judges."""

    profile: Profile = Profile.PSD2
    max_chain_depth: int = DEFAULT_CHAIN_DEPTH
    revocation: RevocationRules = field(default_factory=RevocationRules)
