"""A TPP is the firm, known by its authorisation number; a client is one OAuth registration of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psd2.roles import PspRole


class TppStatus(StrEnum):
    """Whether the operator lets a TPP in."""

    ACTIVE = "active"
    BLOCKED = "blocked"


class ClientStatus(StrEnum):
    """Whether a client may be used."""

    ACTIVE = "active"
    BLOCKED = "blocked"


class ClientProfile(StrEnum):
    """The security profile that a client speaks."""

    BERLIN = "berlin"  # OAuth approach of BG IG 1.3.8 §13
    FAPI2 = "fapi2"  # FAPI 2.0 Security Profile

    @property
    def pushes_requests(self) -> bool:
        """Whether its authorization requests have to be pushed first (FAPI 2.0 §5.3.2.2)."""
        return self is ClientProfile.FAPI2


class AuthMethod(StrEnum):
    """How a client authenticates: its QWAC says which TPP it belongs to, so nothing else is needed."""

    TLS_CLIENT_AUTH = "tls_client_auth"  # RFC 8705 §2.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpp:
    """A registered TPP. `nca_id` as in certificates, `DE-BAFIN`."""

    authorisation_number: str
    name: str
    country: str
    nca_id: str
    nca_name: str
    roles: frozenset[PspRole]
    status: TppStatus = TppStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered OAuth client of a TPP; confidential, always."""

    client_id: str
    authorisation_number: str
    name: str
    redirect_uris: tuple[str, ...]
    profile: ClientProfile
    token_endpoint_auth_method: AuthMethod = AuthMethod.TLS_CLIENT_AUTH
    status: ClientStatus = ClientStatus.ACTIVE


class RegisterRefusal(Exception):
    """A change that the register doesn't take; `field` is what is wrong with the request."""

    def __init__(self, field: str, reason: str) -> None:
        """Say what is wrong and what would be right."""
        super().__init__(reason)
        self.field = field
        self.reason = reason


class UnknownTpp(RegisterRefusal):
    """A client of a TPP that is not registered."""


class ClientOfAnotherTpp(RegisterRefusal):
    """A client id that another TPP holds."""


class InvalidRedirectUri(RegisterRefusal):
    """An address that a browser with an authorization code must not be sent to."""
