"""A developer, the organisation it works for, and a browser in which it is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A browser left alone, and one in use: a lunch, and a working day (NIST SP 800-63B §2.2.3 allows 24 h; no money moves here).
IDLE_SECONDS: Final = 2 * 3_600
LIFETIME_SECONDS: Final = 12 * 3_600
INVITATION_SECONDS: Final = 7 * 86_400
LONGEST_NAME: Final = 100
LONGEST_USER_AGENT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A firm that builds against the sandbox; TPPs belong to it."""

    id: str
    name: str
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Developer:
    """A person with an account; operators look after the platform as well."""

    id: str
    email: str
    name: str
    organisation_id: str
    is_operator: bool
    created_at: float
    disabled_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from, as far as it can be told."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSession:
    """A browser in which somebody is signed in; `key` is the SHA-256 of the token that only the browser has."""

    key: str
    developer_id: str
    started_at: float
    last_seen_at: float
    expires_at: float
    origin: Origin
    ended_at: float | None = None

    def is_open(self, now: float) -> bool:
        """Answer whether it may still be used."""
        return self.ended_at is None and now < self.expires_at and now < self.last_seen_at + IDLE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is asking: somebody signed in, for an organisation, in one browser."""

    developer: Developer
    organisation: Organisation
    session: PortalSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link that lets one person join an organisation, once; `key` is the SHA-256 of its secret."""

    key: str
    organisation_id: str
    invited_by: str
    created_at: float
    expires_at: float
