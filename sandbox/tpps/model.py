"""A TPP in the register, and what is asked of one that wants in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psd2.authorisation_number import AuthorisationNumber
    from psd2.roles import PspRole


class Profile(StrEnum):
    """The security profile of a TPP's OAuth client."""

    BERLIN = "berlin"
    FAPI2 = "fapi2"
    FAPI2_MESSAGE_SIGNING = "fapi2-message-signing"


class TppStatus(StrEnum):
    """`registering` until every step of the registration is done."""

    REGISTERING = "registering"
    ACTIVE = "active"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRequest:
    """What a TPP says of itself, checked; `seed` fixes the test data of its tenant.

    `client_metadata` is what its client registers besides, by the names of RFC 7591; the gateway judges it.
    """

    name: str
    organisation: str
    authorisation_number: AuthorisationNumber
    roles: frozenset[PspRole]
    redirect_uris: tuple[str, ...]
    profile: Profile
    seed: int | None = None
    client_metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpp:
    """A registered TPP; its identity is the authorisation number, `name` is its folder and its short name."""

    authorisation_number: AuthorisationNumber
    name: str
    organisation: str
    roles: frozenset[PspRole]
    redirect_uris: tuple[str, ...]
    profile: Profile
    client_id: str
    seed: int | None
    status: TppStatus
    created_at: float
    organisation_id: str | None = None  # whose it is in the portal; nobody's until it is claimed
    block_reason: str | None = None  # why the operator keeps it out
    client_metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def is_as_requested(self, request: RegistrationRequest) -> bool:
        """Answer whether this is the TPP that the request describes."""
        return (
            self.authorisation_number == request.authorisation_number
            and self.name == request.name
            and self.organisation == request.organisation
            and self.roles == request.roles
            and self.redirect_uris == request.redirect_uris
            and self.profile is request.profile
            and self.client_metadata == request.client_metadata
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What a TPP may change of itself; number, name and roles are what its certificates and its bank stand on."""

    organisation: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAmendment:
    """What a TPP may change of its OAuth client; the client id stays, for consents and refresh tokens stand on it."""

    profile: Profile
    client_metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerTpp:
    """A TPP that has left; its number waits for whoever had it."""

    authorisation_number: str
    organisation_id: str | None
    access_token_sha256: str | None = field(repr=False)
